/* A member of a group that broadcasts messages reliably over UDP: systems/broadcast in C.
 *
 *   node LISTEN DIRECTORY PROTOCOL PEER...      addresses are HOST:PORT, IPv4
 *
 * Messages are JSON objects as its Python sibling writes them; of strings, only those without escapes are understood. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REPEAT_MS = 30, TEXT_MAX = 200, MESSAGES_MAX = 1000, PEERS_MAX = 8, DATAGRAM_MAX = 65536 };

enum protocol { SIMPLE, RETRY, CLASSIC, ACKNOWLEDGED };
static const char *const protocol_names[] = {"simple", "retry", "classic", "acknowledged"};

struct message {
    char text[TEXT_MAX];
    bool owed[PEERS_MAX]; /* to a peer that is not known to have it */
};

static struct sockaddr_in peers[PEERS_MAX];
static int peer_count;
static struct message delivered[MESSAGES_MAX];
static int delivered_count;
static enum protocol protocol;
static int sock, log_file;

static void fail(const char *what) {
    fprintf(stderr, "stopping: %s: %s\n", what, strerror(errno));
    exit(1);
}

static struct sockaddr_in address(const char *text) {
    struct sockaddr_in result = {.sin_family = AF_INET};
    char host[64];
    int port;
    if (sscanf(text, "%63[0-9.]:%d", host, &port) != 2 || inet_pton(AF_INET, host, &result.sin_addr) != 1) {
        fprintf(stderr, "not an address: %s\n", text);
        exit(2);
    }
    result.sin_port = htons(port);
    return result;
}

static void send_to(const struct sockaddr_in *to, const char *type, const char *text) {
    char datagram[TEXT_MAX + 64];
    int length = snprintf(datagram, sizeof datagram, "{\"type\": \"%s\", \"text\": \"%s\"}", type, text);
    if (sendto(sock, datagram, length, 0, (const struct sockaddr *)to, sizeof *to) < 0)
        fprintf(stderr, "cannot send: %s\n", strerror(errno));
}

/* Sends again what has not been acknowledged. */
static void repeat(void) {
    for (int each = 0; each < delivered_count; each++)
        for (int peer = 0; peer < peer_count; peer++)
            if (delivered[each].owed[peer])
                send_to(&peers[peer], "copy", delivered[each].text);
}

static struct message *find(const char *text) {
    for (int each = 0; each < delivered_count; each++)
        if (strcmp(delivered[each].text, text) == 0)
            return &delivered[each];
    return NULL;
}

static struct message *remember(const char *text) {
    if (delivered_count == MESSAGES_MAX) {
        fprintf(stderr, "stopping: more than %d messages\n", MESSAGES_MAX);
        exit(1);
    }
    struct message *message = &delivered[delivered_count++];
    snprintf(message->text, sizeof message->text, "%s", text);
    return message;
}

static void owe(struct message *message) {
    for (int peer = 0; peer < peer_count; peer++)
        message->owed[peer] = true;
}

/* Delivered means on the disk: a member that restarts is still a member that delivered. */
static void record(const char *text) {
    char line[TEXT_MAX + 1];
    int length = snprintf(line, sizeof line, "%s\n", text);
    if (write(log_file, line, length) != length || fsync(log_file) != 0)
        fail("cannot write what was delivered");
}

/* Delivers a message once, and passes it on as the protocol has it. */
static void deliver(const char *text, bool announced) {
    if (find(text))
        return;
    record(text);
    struct message *message = remember(text);
    if ((protocol == SIMPLE && announced) || protocol == CLASSIC) {
        for (int peer = 0; peer < peer_count; peer++)
            send_to(&peers[peer], "copy", text);
    } else if ((protocol == RETRY && announced) || protocol == ACKNOWLEDGED) {
        owe(message);
        repeat();
    }
}

/* A string member of a JSON object; false if there is none, or it is none we understand. */
static bool member(const char *object, const char *name, char *value) {
    char quoted[32];
    snprintf(quoted, sizeof quoted, "\"%s\"", name);
    const char *at = strstr(object, quoted);
    if (!at)
        return false;
    at += strlen(quoted);
    at += strspn(at, " :");
    size_t length = *at == '"' ? strcspn(at + 1, "\"\\") : TEXT_MAX;
    if (length >= TEXT_MAX || at[1 + length] != '"')
        return false;
    memcpy(value, at + 1, length);
    value[length] = 0;
    return true;
}

static int by_text(const void *left, const void *right) {
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void list_to(const struct sockaddr_in *to) {
    static char datagram[DATAGRAM_MAX];
    const char *texts[MESSAGES_MAX];
    for (int each = 0; each < delivered_count; each++)
        texts[each] = delivered[each].text;
    qsort(texts, delivered_count, sizeof *texts, by_text);
    size_t length = sprintf(datagram, "{\"type\": \"delivered\", \"texts\": [");
    for (int each = 0; each < delivered_count && length < DATAGRAM_MAX - TEXT_MAX - 16; each++)
        length += sprintf(datagram + length, "%s\"%s\"", each ? ", " : "", texts[each]);
    length += sprintf(datagram + length, "]}");
    if (sendto(sock, datagram, length, 0, (const struct sockaddr *)to, sizeof *to) < 0)
        fprintf(stderr, "cannot send: %s\n", strerror(errno));
}

static void receive(void) {
    static char datagram[DATAGRAM_MAX];
    struct sockaddr_in sender;
    socklen_t length = sizeof sender;
    ssize_t count = recvfrom(sock, datagram, sizeof datagram - 1, 0, (struct sockaddr *)&sender, &length);
    if (count < 0) { /* the echo of a datagram to a peer that is down */
        fprintf(stderr, "ignored: %s\n", strerror(errno));
        return;
    }
    datagram[count] = 0;
    char type[TEXT_MAX], text[TEXT_MAX];
    bool has_text = member(datagram, "text", text);
    if (!member(datagram, "type", type)) {
        fprintf(stderr, "ignored: no message\n");
    } else if (strcmp(type, "list") == 0) {
        list_to(&sender);
    } else if (!has_text) {
        fprintf(stderr, "ignored: %s without a text\n", type);
    } else if (strcmp(type, "announce") == 0) {
        deliver(text, true);
        send_to(&sender, "announced", text);
    } else if (strcmp(type, "copy") == 0) {
        deliver(text, false);
        send_to(&sender, "acknowledge", text);
    } else if (strcmp(type, "acknowledge") == 0) {
        struct message *message = find(text);
        for (int peer = 0; message && peer < peer_count; peer++)
            if (peers[peer].sin_addr.s_addr == sender.sin_addr.s_addr && peers[peer].sin_port == sender.sin_port)
                message->owed[peer] = false;
    }
}

/* Reads what was delivered; half a line at the end, torn by a crash, is cut off. */
static void load(const char *directory) {
    char path[4096], line[TEXT_MAX + 2];
    snprintf(path, sizeof path, "%s/delivered", directory);
    log_file = open(path, O_RDWR | O_CREAT | O_APPEND, 0644);
    int entry = open(directory, O_RDONLY | O_DIRECTORY);
    FILE *file = fopen(path, "r");
    if (log_file < 0 || entry < 0 || !file)
        fail(path);
    off_t whole = 0;
    while (fgets(line, sizeof line, file) && strchr(line, '\n')) {
        whole += strlen(line);
        line[strcspn(line, "\n")] = 0;
        struct message *message = remember(line);
        if (protocol == ACKNOWLEDGED)
            owe(message);
    }
    fclose(file);
    /* The file's entry in its directory must last as well as its contents. */
    if (ftruncate(log_file, whole) != 0 || fsync(log_file) != 0 || fsync(entry) != 0)
        fail(path);
    close(entry);
}

static long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int main(int count, char **words) {
    if (count < 4 || count - 4 > PEERS_MAX) {
        fprintf(stderr, "usage: node LISTEN DIRECTORY PROTOCOL PEER...\n");
        return 2;
    }
    while (strcmp(protocol_names[protocol], words[3]) != 0)
        if (++protocol > ACKNOWLEDGED) {
            fprintf(stderr, "no such protocol: %s\n", words[3]);
            return 2;
        }
    for (peer_count = 0; peer_count < count - 4; peer_count++)
        peers[peer_count] = address(words[4 + peer_count]);
    load(words[2]);
    struct sockaddr_in own = address(words[1]);
    sock = socket(AF_INET, SOCK_DGRAM, 0);
    if (sock < 0 || bind(sock, (struct sockaddr *)&own, sizeof own) != 0)
        fail(words[1]);
    fprintf(stderr, "listening on %s\n", words[1]);
    for (long repeat_at = now_ms() + REPEAT_MS;;) {
        struct pollfd waiting = {.fd = sock, .events = POLLIN};
        long wait = repeat_at - now_ms();
        if (poll(&waiting, 1, wait > 0 ? wait : 0) > 0)
            receive();
        if (now_ms() >= repeat_at) {
            repeat();
            repeat_at = now_ms() + REPEAT_MS;
        }
    }
}
