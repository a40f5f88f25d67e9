// A tree of processes in a control group of its own: frozen in the middle of a receive and thawed,
// then killed as a whole (cgroup.kill). Its peers see the end of what it held.
#include "guest.h"
static char group[64];
static int set(const char *name, const char *value) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", group, name);
    int file = open(path, O_WRONLY);
    int done = file < 0 ? -1 : (int)write(file, value, strlen(value));
    if (file >= 0) close(file);
    return done;
}
static int frozen(void) {
    char path[128], text[64] = {0};
    snprintf(path, sizeof path, "%s/cgroup.events", group);
    int file = open(path, O_RDONLY);
    TRY(file);
    TRY(read(file, text, sizeof text - 1));
    close(file);
    return strstr(text, "frozen 1") != 0;
}
int main(void) {
    // 78: not every machine allows it.
    snprintf(group, sizeof group, "/sys/fs/cgroup/linchpin-guest-%d", getpid());
    char process[16];
    int one[2], two[2], told[2], status;
    if (mkdir(group, 0700) < 0 || set("cgroup.freeze", "0") < 0) {
        rmdir(group);
        snprintf(group, sizeof group, "/sys/fs/cgroup/unified/linchpin-guest-%d", getpid());
        if (mkdir(group, 0700) < 0 || set("cgroup.freeze", "0") < 0) {
            rmdir(group);
            return 78;
        }
    }
    TRY(pipe(told));
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, one));
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, two));
    pid_t child = fork();
    if (!child) {
        close(one[0]), close(two[0]);
        take(one[1], "begin");
        if (!fork()) {
            close(one[1]);
            give(two[1], "in the group");
            take(two[1], "go on");
            give(two[1], "went on");
            close(told[1]);
            pause();
        }
        close(two[1]);
        close(told[1]);
        pause();
    }
    close(one[1]), close(two[1]);
    snprintf(process, sizeof process, "%d", child);
    if (set("cgroup.procs", process) < 0 || set("cgroup.kill", "0") >= 0) {
        kill(child, SIGKILL), waitpid(child, 0, 0), rmdir(group);
        return 78;
    }
    give(one[0], "begin");
    close(told[1]);
    take(two[0], "in the group");
    NEED(set("cgroup.freeze", "1") == 1);
    for (int i = 0; i < 1000 && !frozen(); i++) usleep(1000);
    give(two[0], "go on");
    char byte;
    usleep(20000);
    NEED(!frozen() || (recv(two[0], &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN));
    NEED(set("cgroup.freeze", "0") == 1);
    take(two[0], "went on");
    end_of(told[0]); // their sends have returned
    NEED(set("cgroup.kill", "1") == 1);
    NEED(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    end_of(one[0]);
    end_of(two[0]);
    for (int i = 0; i < 1000 && rmdir(group) < 0; i++) usleep(1000);
    return 0;
}
