// A node that does what its arguments say, with one of four styles of input and output, and prints
// what it sees: `driver STYLE COMMAND ARGUMENT...`. driver.py is the same in Python.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK, POLL, LEVEL, EDGE } style;
static int slots[8], listener = -1, slot, epoll = -1;
static long wakes;

static const char *name(int error) { return error ? strerrorname_np(error) : "ok"; }

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static void prepare(int fd) {
  if (style != BLOCK) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.fd = fd};
  if (style == EDGE) epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

// Waits until an operation that gave EAGAIN may go on.
static void wait_for(int fd, int events) {
  wakes++;
  if (style == POLL) {
    struct pollfd poll_fd = {.fd = fd, .events = events == EPOLLIN ? POLLIN : POLLOUT};
    poll(&poll_fd, 1, -1);
    return;
  }
  struct epoll_event event = {.events = events, .data.fd = fd};
  if (style == LEVEL && epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event))
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  do {
    if (epoll_wait(epoll, &event, 1, -1) < 0 && errno != EINTR) exit(3);
  } while (event.data.fd != fd);
}

static int again(void) { return errno == EAGAIN || errno == EINTR || errno == EINPROGRESS; }

static void put(const char *bytes, size_t length) {
  while (length) {
    ssize_t count = send(slots[slot], bytes, length, MSG_NOSIGNAL);
    if (count >= 0) {
      bytes += count;
      length -= count;
    } else if (again()) {
      if (errno != EINTR) wait_for(slots[slot], EPOLLOUT);
    } else {
      printf("send %s\n", name(errno));
      return;
    }
  }
}

// Reads until this many bytes, the end or an error.
static void get(size_t wanted, int show) {
  static char bytes[1 << 16];
  size_t have = 0;
  unsigned sum = 0;
  const char *end = "";
  while (have < wanted) {
    size_t room = wanted - have < sizeof bytes - 1 ? wanted - have : sizeof bytes - 1;
    ssize_t count = recv(slots[slot], show ? bytes + have : bytes, room, 0);
    if (count > 0) {
      for (ssize_t i = 0; !show && i < count; i++) sum = sum * 31 + (unsigned char)bytes[i];
      have += count;
    } else if (count == 0) {
      end = " eof";
      break;
    } else if (again()) {
      if (errno != EINTR) wait_for(slots[slot], EPOLLIN);
    } else {
      end = name(errno);
      printf("recv %.*s %s\n", show ? (int)have : 0, bytes, end);
      return;
    }
  }
  if (show) printf("recv %.*s%s\n", (int)have, bytes, end);
  else printf("took %zu %u%s\n", have, sum, end);
}

static struct sockaddr_in place(const char *text) {
  // ADDRESS:PORT
  char copy[64];
  snprintf(copy, sizeof copy, "%s", text);
  char *colon = strchr(copy, ':');
  *colon = 0;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(colon + 1))};
  inet_pton(AF_INET, copy, &address.sin_addr);
  return address;
}

static void call_up(const char *where) {
  int fd = slots[slot] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = place(where);
  prepare(fd);
  int error = connect(fd, (void *)&address, sizeof address) ? errno : 0;
  if (error == EINPROGRESS) {
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    if (style == POLL) poll(&ready, 1, -1);
    else wait_for(fd, EPOLLOUT);
    socklen_t size = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  }
  printf("connect %s\n", name(error));
}

static void pick_up(void) {
  int fd;
  while ((fd = accept4(listener, 0, 0, SOCK_CLOEXEC)) < 0) {
    if (!again()) {
      printf("accept %s\n", name(errno));
      return;
    }
    if (errno != EINTR) wait_for(listener, EPOLLIN);
  }
  slots[slot] = fd;
  prepare(fd);
}

int main(int count, char **words) {
  setvbuf(stdout, 0, _IOLBF, 0);
  const char *styles[] = {"block", "poll", "level", "edge"};
  while (style < EDGE && strcmp(styles[style], words[1])) style++;
  epoll = epoll_create1(EPOLL_CLOEXEC);
  double clock = now();
  int file = -1;
  for (int at = 2; at < count; at++) {
    char *word = words[at];
    if (!strcmp(word, "listen")) {
      listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      int on = 1;
      setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
      struct sockaddr_in address = place(words[++at]);
      int bad = bind(listener, (void *)&address, sizeof address) || listen(listener, 8);
      prepare(listener);
      printf("listen %s\n", name(bad ? errno : 0));
    } else if (!strcmp(word, "bind")) {
      slots[slot] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      struct sockaddr_in address = place(words[++at]);
      int bad = bind(slots[slot], (void *)&address, sizeof address);
      prepare(slots[slot]);
      printf("listen %s\n", name(bad ? errno : 0));
    } else if (!strcmp(word, "sendto")) {
      struct sockaddr_in address = place(words[++at]);
      char *text = words[++at];
      ssize_t sent = sendto(slots[slot], text, strlen(text), 0, (void *)&address, sizeof address);
      if (sent != (ssize_t)strlen(text)) printf("sendto %s\n", name(errno));
    } else if (!strcmp(word, "connect")) call_up(words[++at]);
    else if (!strcmp(word, "accept")) pick_up();
    else if (!strcmp(word, "use")) slot = atoi(words[++at]);
    else if (!strcmp(word, "send")) {
      at++;
      put(words[at], strlen(words[at]));
    } else if (!strcmp(word, "recv")) get(atoi(words[++at]), 1);
    else if (!strcmp(word, "flood")) {
      // This many bytes, no two stretches alike.
      size_t left = atol(words[++at]);
      unsigned state = 1;
      char bytes[40000];
      while (left) {
        size_t part = left < sizeof bytes ? left : sizeof bytes;
        for (size_t i = 0; i < part; i++) bytes[i] = (state = state * 1103515245 + 12345) >> 16;
        put(bytes, part);
        left -= part;
      }
    } else if (!strcmp(word, "drain")) get(atol(words[++at]), 0);
    else if (!strcmp(word, "hear")) {
      struct pollfd ready = {.fd = slots[slot], .events = POLLIN};
      if (poll(&ready, 1, atoi(words[++at])) == 0) printf("silence\n");
      else get(1000, 1);
    } else if (!strcmp(word, "datagram")) {
      struct pollfd ready = {.fd = slots[slot], .events = POLLIN};
      char text[100];
      if (poll(&ready, 1, atoi(words[++at])) == 0) printf("silence\n");
      else printf("recv %.*s\n", (int)recv(slots[slot], text, sizeof text, 0), text);
    } else if (!strcmp(word, "shutdown")) shutdown(slots[slot], SHUT_WR);
    else if (!strcmp(word, "close")) close(slots[slot]);
    else if (!strcmp(word, "sleep")) usleep(atoi(words[++at]) * 1000);
    else if (!strcmp(word, "clock")) clock = now();
    else if (!strcmp(word, "took")) {
      int limit = atoi(words[++at]);
      printf(now() - clock < limit ? "fast\n" : "slow\n");
    } else if (!strcmp(word, "calm")) printf(wakes < 500 ? "calm\n" : "spun\n");
    else if (!strcmp(word, "open")) {
      file = open(words[++at], O_RDWR | O_CREAT | O_APPEND, 0600);
      if (file < 0) printf("open %s\n", name(errno));
    } else if (!strcmp(word, "write")) {
      char *text = words[++at];
      ssize_t wrote = write(file, text, strlen(text));
      if (wrote != (ssize_t)strlen(text)) printf("write %zd %s\n", wrote, wrote < 0 ? name(errno) : "short");
    } else if (!strcmp(word, "writev")) {
      char *text = words[++at];
      struct iovec parts[2] = {{text, strlen(text)}, {text, strlen(text)}};
      ssize_t wrote = writev(file, parts, 2);
      printf("writev %zd %s\n", wrote, wrote < 0 ? name(errno) : "bytes");
    } else if (!strcmp(word, "fsync")) {
      int bad = fsync(file);
      if (bad) printf("fsync %s\n", name(errno));
    } else if (!strcmp(word, "syncdir")) {
      int folder = open(words[++at], O_RDONLY | O_DIRECTORY);
      if (fsync(folder)) printf("fsync %s\n", name(errno));
      close(folder);
    } else if (!strcmp(word, "rename")) {
      char *from = words[++at], *to = words[++at];
      if (rename(from, to)) printf("rename %s\n", name(errno));
    } else if (!strcmp(word, "unlink")) {
      if (unlink(words[++at])) printf("unlink %s\n", name(errno));
    } else if (!strcmp(word, "say")) printf("%s\n", words[++at]);
    else return 2;
  }
  return 0;
}
