/* Other program of the interoperability tests: plain C on the same names. One action per run; prints its results. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int fail(const char *what) {
  perror(what);
  return 1;
}

static struct timespec in_five_seconds(clockid_t clock) {
  struct timespec at;
  clock_gettime(clock, &at);
  at.tv_sec += 5;
  return at;
}

/* Receives one message, sends it back reversed with priority + 1. */
static int queue_reverse(const char *requests, const char *replies) {
  char text[8192];
  unsigned priority;
  mqd_t from = mq_open(requests, O_RDONLY), to = mq_open(replies, O_WRONLY);
  if (from < 0 || to < 0) return fail("mq_open");
  struct timespec until = in_five_seconds(CLOCK_REALTIME);
  ssize_t length = mq_timedreceive(from, text, sizeof text, &priority, &until);
  if (length < 0) return fail("mq_timedreceive");
  for (ssize_t i = 0; i < length / 2; i++) {
    char c = text[i];
    text[i] = text[length - 1 - i];
    text[length - 1 - i] = c;
  }
  return mq_send(to, text, length, priority + 1) ? fail("mq_send") : 0;
}

/* Waits on the first semaphore, adds 1 to the first 32-bit word of the segment, posts the second. */
static int add_one(const char *segment, const char *go, const char *done) {
  int fd = shm_open(segment, O_RDWR, 0);
  if (fd < 0) return fail("shm_open");
  uint32_t *words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  sem_t *first = sem_open(go, 0), *second = sem_open(done, 0);
  if (words == MAP_FAILED || first == SEM_FAILED || second == SEM_FAILED) return fail("open");
  struct timespec until = in_five_seconds(CLOCK_REALTIME);
  if (sem_timedwait(first, &until)) return fail("sem_timedwait");
  __atomic_fetch_add(words, 1, __ATOMIC_SEQ_CST);
  return sem_post(second) ? fail("sem_post") : 0;
}

/* Sleeps on word 0 while it is 0, then writes 2 into word 1 and wakes whoever sleeps there. */
static int futex_answer(const char *segment) {
  int fd = shm_open(segment, O_RDWR, 0);
  if (fd < 0) return fail("shm_open");
  uint32_t *words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (words == MAP_FAILED) return fail("mmap");
  struct timespec limit = {5, 0};
  while (__atomic_load_n(words, __ATOMIC_SEQ_CST) == 0) syscall(SYS_futex, words, FUTEX_WAIT, 0, &limit, NULL, 0);
  __atomic_store_n(words + 1, 2, __ATOMIC_SEQ_CST);
  syscall(SYS_futex, words + 1, FUTEX_WAKE, 1, NULL, NULL, 0);
  return 0;
}

int main(int argc, char **argv) {
  alarm(10);
  if (argc == 4 && !strcmp(argv[1], "queue-reverse")) return queue_reverse(argv[2], argv[3]);
  if (argc == 5 && !strcmp(argv[1], "add-one")) return add_one(argv[2], argv[3], argv[4]);
  if (argc == 3 && !strcmp(argv[1], "futex-answer")) return futex_answer(argv[2]);
  fprintf(stderr, "unknown action\n");
  return 2;
}
