// pump: the least CPU that N flows of RTP can cost on this machine. Each flow sends
// one packet of 172 bytes every 20 ms and receives one; there is no SIP, no RTP
// logic, no recording. What a media server costs is told as a multiple of this.
//
//   pump flows N SECONDS SLOTS BASEPORT PEERPORT   the pump; prints key=value
//   pump peer  N SECONDS SLOTS BASEPORT PEERPORT   the far side, on another core
//
// A socket per flow, connected; the pump sends a slot's flows together and reads
// by epoll until the next slot is due. SLOTS = pacing slots per 20 ms.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

enum { packet_len = 172, period_ns = 20000000, warm_up_ns = 1000000000 };

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000L + t.tv_nsec;
}

static void sleep_until(int64_t at) {
  struct timespec t = {at / 1000000000L, at % 1000000000L};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, 0) == EINTR) {}
}

static double cpu_seconds(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static struct sockaddr_in loopback(int port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

static int open_flow(int port, int peer) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in a = loopback(port), b = loopback(peer);
  if (fd < 0 || bind(fd, (void *)&a, sizeof a) || connect(fd, (void *)&b, sizeof b)) {
    perror("pump: opening a flow");
    exit(1);
  }
  return fd;
}

static uint64_t received, sent;

// read_until takes what comes in, by event, until a time.
static void read_until(int events, const int *fd, int64_t until) {
  struct epoll_event ready[256];
  char buf[2048];
  for (int64_t left; (left = until - now()) > 0;) {
    struct timespec wait = {0, left};
    int n = epoll_pwait2(events, ready, 256, &wait, 0);
    for (int i = 0; i < n; i++)
      if (recv(fd[ready[i].data.u32], buf, sizeof buf, 0) > 0) received++;
  }
}

int main(int argc, char **argv) {
  if (argc != 7) {
    fprintf(stderr, "usage: pump flows|peer N SECONDS SLOTS BASEPORT PEERPORT\n");
    return 2;
  }
  int is_peer = !strcmp(argv[1], "peer"), n = atoi(argv[2]), seconds = atoi(argv[3]), slots = atoi(argv[4]);
  int base = atoi(argv[5]), peer = atoi(argv[6]);
  if (n < 1 || n > 20000 || seconds < 2 || slots < 1 || base < 1024 || peer < 1024) {
    fprintf(stderr, "pump: N 1..20000, SECONDS 2.., SLOTS 1.., ports 1024..\n");
    return 2;
  }
  int *fd = calloc(n, sizeof *fd), events = epoll_create1(0);
  unsigned char packet[packet_len] = {0x80};
  memset(packet + 12, 0xff, packet_len - 12);
  for (int i = 0; i < n; i++) {
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = i};
    fd[i] = open_flow(base + i, peer + i);
    epoll_ctl(events, EPOLL_CTL_ADD, fd[i], &e);
  }
  int64_t start = now() + 50000000, at = start, end = start + seconds * 1000000000L, measured = 0;
  double cpu = 0;
  uint16_t sequence = 0;
  for (int slot = 0; at < end; slot = (slot + 1) % slots, at += period_ns / slots) {
    if (is_peer) sleep_until(at);
    else read_until(events, fd, at);
    if (slot == 0) sequence++;
    packet[2] = sequence >> 8;
    packet[3] = sequence;
    for (int i = n * slot / slots; i < n * (slot + 1) / slots; i++) {
      char buf[2048];
      if (send(fd[i], packet, packet_len, 0) > 0) sent++;
      if (is_peer) recv(fd[i], buf, sizeof buf, MSG_DONTWAIT);
    }
    if (!measured && at > start + warm_up_ns) {
      cpu = cpu_seconds(), measured = now();
      received = sent = 0;
    }
  }
  if (is_peer) return 0;
  double wall = (now() - measured) / 1e9, used = cpu_seconds() - cpu;
  printf("floor_flows=%d\nfloor_ms_per_flow_second=%.4f\nfloor_sent_pct=%.1f\nfloor_received_pct=%.1f\n", n,
         used / wall / n * 1000, sent / (wall * 50 * n) * 100, received / (wall * 50 * n) * 100);
  return 0;
}
