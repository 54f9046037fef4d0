/*
 * An echo server for our clients, which compares their clock with the C client's (`npm run bench:agreement`).
 * It opens a connection as the transport of that name does, prints "ready", serves one client and ends with it.
 *
 *   unix    a listening socket at the path; messages behind a u32 length
 *   pipe    a hello FIFO at the path; the newcomer's pair of FIFOs lies in <path>.<slot>/ (fifo-server.ts)
 *   queue   a request queue of that name; the newcomer's reply queue is <name>-<slot> (message-queues/protocol.ts)
 */
#ifndef IPCMARK_ECHO_H
#define IPCMARK_ECHO_H
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>

#define HELLO 2
#define WELCOME 3
#define ACCEPTED 1

static void say_ready(void) {
  puts("ready");
  fflush(stdout);
}

static void listen_unix(struct end *server, const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1)) die("listen");
  say_ready();
  server->in_fd = server->out_fd = accept(listener, NULL, NULL);
  unlink(path);
  if (server->in_fd < 0) die("accept");
  limit_waits(server->in_fd);
  close(listener);
}

/* Opens without waiting, since the client holds both FIFOs open; poll waits instead. */
static int open_fifo(const char *path, int access) {
  int fd = open(path, access | O_NONBLOCK);
  if (fd < 0) die(path);
  return fd;
}

static void listen_fifo(struct end *server, const char *path) {
  char text[64] = "", directory[512], up[520], down[520];
  int slot = -1;
  if (mkfifo(path, 0600)) die("mkfifo");
  /* Open for both directions: it never reports an end of file. */
  int hello = open(path, O_RDWR);
  if (hello < 0) die("open");
  say_ready();
  while (slot < 0) {
    ssize_t n = read(hello, text, sizeof text - 1);
    if (n <= 0) die("hello");
    text[n] = 0;
    sscanf(text, " hello %d", &slot);
  }
  snprintf(directory, sizeof directory, "%s.%d", path, slot);
  snprintf(up, sizeof up, "%s/up", directory);
  snprintf(down, sizeof down, "%s/down", directory);
  server->in_fd = open_fifo(up, O_RDONLY);
  server->out_fd = open_fifo(down, O_WRONLY);
  unlink(up), unlink(down), rmdir(directory), unlink(path);
  uint8_t welcome = ACCEPTED;
  if (write(server->out_fd, &welcome, 1) != 1) die("welcome");
}

/* A client's first message carries the slot of its reply queue; the welcome assigns it number 0. */
static void listen_queue(struct end *server, const char *name) {
  struct mq_attr attributes = {.mq_maxmsg = 10, .mq_msgsize = 8192};
  char replies[128];
  server->from = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attributes);
  /* The lock shows clients that a server listens. */
  if (server->from < 0 || flock(server->from, LOCK_EX | LOCK_NB)) die("mq_open");
  say_ready();
  do {
    if (mq_receive(server->from, (char *)server->packet, 8192, NULL) < 8) die("hello");
  } while (server->packet[0] != HELLO);
  snprintf(replies, sizeof replies, "%s-%d", name, server->packet[2] | server->packet[3] << 8);
  server->to = mq_open(replies, O_RDWR);
  if (server->to < 0) die(replies);
  mq_unlink(replies);
  mq_unlink(name);
  server->packet[0] = WELCOME;
  server->packet[2] = server->packet[3] = 0;
  if (mq_send(server->to, (char *)server->packet, 8, 0)) die("welcome");
}

/* Echoes until the client hangs up or sends BYE; both end the process from inside. */
static void echo(struct end *server, struct shared *shared, const char *address) {
  if (server->kind == QUEUE) listen_queue(server, address);
  else if (server->kind == PIPE) listen_fifo(server, address);
  else listen_unix(server, address);
  serve(server, shared, UINT64_MAX);
}
#endif
