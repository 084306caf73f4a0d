/* The ceiling of the stream bench: how fast a C program writes frames, made beforehand, to the same readers.
 *
 * It answers every upgrade request with 101 and reads past what readers say. For each number of seconds on its
 * standard input it writes one frame after the other, each once all readers were given the one before, and
 * prints how many, in how many seconds and at how many of the processor. It encodes nothing, checks nothing and
 * drops nothing: it is no server, it is what a server of one process cannot do better than on this machine.
 *
 *   ceiling FRAME_OF_JSON FRAME_OF_MSGPACK
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READERS 16384
#define REQUEST 2048

struct reader {
    int open, waits, json;
    size_t given, held; /* of the frame; of the request */
    char request[REQUEST];
};

static struct reader *readers[READERS]; /* by file descriptor */
static char *frames[2];
static size_t sizes[2];
static int epoll, last, waiting;
static const char ANSWER[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static double now(clockid_t clock) {
    struct timespec at;
    clock_gettime(clock, &at);
    return at.tv_sec + at.tv_nsec / 1e9;
}

static void load(int which, const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) fail(path);
    sizes[which] = ftell(file);
    rewind(file);
    frames[which] = malloc(sizes[which]);
    if (!frames[which] || fread(frames[which], 1, sizes[which], file) != sizes[which]) fail(path);
    fclose(file);
}

static void watch(int fd, int how, unsigned events) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (epoll_ctl(epoll, how, fd, &event)) fail("epoll_ctl");
}

static void part(int fd) {
    waiting -= readers[fd]->waits;
    free(readers[fd]);
    readers[fd] = NULL;
    close(fd);
}

/* Write what is left of the frame; go on when the reader can take more. */
static void give(int fd) {
    struct reader *one = readers[fd];
    while (one->given < sizes[!one->json]) {
        ssize_t took = send(fd, frames[!one->json] + one->given, sizes[!one->json] - one->given, MSG_NOSIGNAL);
        if (took > 0) {
            one->given += took;
            continue;
        }
        if (errno != EAGAIN) return part(fd);
        if (!one->waits) {
            one->waits = 1;
            waiting++;
            watch(fd, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
        }
        return;
    }
    if (one->waits) {
        one->waits = 0;
        waiting--;
        watch(fd, EPOLL_CTL_MOD, EPOLLIN);
    }
}

static void welcome(int listening) {
    int fd;
    while ((fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= READERS || !(readers[fd] = calloc(1, sizeof(struct reader)))) {
            fprintf(stderr, "no room for another reader\n");
            exit(1);
        }
        if (fd > last) last = fd;
        watch(fd, EPOLL_CTL_ADD, EPOLLIN);
    }
    if (errno != EAGAIN && errno != ECONNABORTED) fail("accept");
}

static void hear(int fd) {
    struct reader *one = readers[fd];
    char past[4096];
    if (one->open) {
        ssize_t got = recv(fd, past, sizeof past, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN)) part(fd);
        return;
    }
    ssize_t got = recv(fd, one->request + one->held, REQUEST - one->held, 0);
    if (got <= 0) return part(fd);
    one->held += got;
    if (!memmem(one->request, one->held, "\r\n\r\n", 4)) return;
    one->json = memmem(one->request, one->held, "nautilus.json", 13) != NULL;
    one->open = 1;
    if (send(fd, ANSWER, sizeof ANSWER - 1, MSG_NOSIGNAL) != sizeof ANSWER - 1) part(fd);
}

int main(int count, char **words) {
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof where;
    struct epoll_event events[256];
    double until = 0, begun = 0, used = 0; /* until: 0 when nothing is to be written */
    long rounds = 0;

    if (count != 3) {
        fprintf(stderr, "usage: ceiling FRAME_OF_JSON FRAME_OF_MSGPACK\n");
        return 2;
    }
    load(0, words[1]);
    load(1, words[2]);
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (listening < 0 || bind(listening, (struct sockaddr *)&where, sizeof where) || listen(listening, 4096))
        fail("listen");
    getsockname(listening, (struct sockaddr *)&where, &size);
    if ((epoll = epoll_create1(0)) < 0) fail("epoll");
    watch(listening, EPOLL_CTL_ADD, EPOLLIN);
    watch(0, EPOLL_CTL_ADD, EPOLLIN);
    printf("%d\n", ntohs(where.sin_port));
    fflush(stdout);

    for (;;) {
        int many = epoll_wait(epoll, events, 256, until && !waiting ? 0 : -1);
        if (many < 0 && errno != EINTR) fail("epoll_wait");
        for (int n = 0; n < many; n++) {
            int fd = events[n].data.fd;
            if (fd == listening) {
                welcome(fd);
            } else if (fd == 0) {
                char line[64] = "";
                if (read(0, line, sizeof line - 1) <= 0) return 0;
                begun = now(CLOCK_MONOTONIC);
                used = now(CLOCK_PROCESS_CPUTIME_ID);
                until = begun + atof(line);
                rounds = 0;
            } else {
                if (readers[fd] && events[n].events & EPOLLOUT) give(fd);
                if (readers[fd] && events[n].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) hear(fd);
            }
        }
        if (!until || waiting) continue;
        if (now(CLOCK_MONOTONIC) >= until) {
            printf("%ld %.6f %.6f\n", rounds, now(CLOCK_MONOTONIC) - begun, now(CLOCK_PROCESS_CPUTIME_ID) - used);
            fflush(stdout);
            until = 0;
            continue;
        }
        rounds++;
        for (int fd = 0; fd <= last; fd++) {
            if (readers[fd] && readers[fd]->open) {
                readers[fd]->given = 0;
                give(fd);
            }
        }
    }
}
