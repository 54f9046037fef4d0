/* Both ends of a connection, opened before the process forks: queues, pipes, sockets. */
#ifndef IPCMARK_PAIRS_H
#define IPCMARK_PAIRS_H

static void limit_waits(int fd) {
  struct timeval limit = {0, SLICE_NS / 1000};
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit)) die("SO_RCVTIMEO");
  if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit)) die("SO_SNDTIMEO");
}

static void open_queues(mqd_t *requests, mqd_t *replies) {
  char name[64];
  struct mq_attr attributes = {.mq_maxmsg = 4, .mq_msgsize = 8192};
  for (int i = 0; i < 2; i++) {
    snprintf(name, sizeof name, "/ipcmark-limit-%d-%d", getpid(), i);
    mqd_t queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attributes);
    if (queue < 0) die("mq_open");
    mq_unlink(name);
    *(i ? replies : requests) = queue;
  }
}

/* Both ends of a connection over 127.0.0.1, without Nagle's delay. */
static void tcp_pair(int pair[2]) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) || listen(listener, 1)) die("listen");
  if (getsockname(listener, (struct sockaddr *)&address, &length)) die("getsockname");
  pair[0] = socket(AF_INET, SOCK_STREAM, 0);
  if (pair[0] < 0 || connect(pair[0], (struct sockaddr *)&address, length)) die("connect");
  pair[1] = accept(listener, NULL, NULL);
  if (pair[1] < 0) die("accept");
  close(listener);
  for (int i = 0; i < 2; i++) setsockopt(pair[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void open_stream(struct end *client, struct end *server) {
  int there[2], back[2];
  if (client->kind == PIPE) {
    if (pipe(there) || pipe(back)) die("pipe");
    client->out_fd = there[1], server->in_fd = there[0];
    server->out_fd = back[1], client->in_fd = back[0];
    int ends[] = {client->in_fd, server->in_fd};
    for (int i = 0; i < 2; i++) fcntl(ends[i], F_SETFL, O_NONBLOCK);
    return;
  }
  if (client->kind == TCP) tcp_pair(there);
  else if (socketpair(AF_UNIX, SOCK_STREAM, 0, there)) die("socketpair");
  for (int i = 0; i < 2; i++) limit_waits(there[i]);
  client->in_fd = client->out_fd = there[0];
  server->in_fd = server->out_fd = there[1];
}

static void close_stream(struct end *e) {
  if (!is_stream(e->kind)) return;
  close(e->in_fd);
  if (e->out_fd != e->in_fd) close(e->out_fd);
}
#endif
