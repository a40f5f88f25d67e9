// One receive, interrupted by eleven signals and restarted each time: one event.
#include "guest.h"
static volatile int alarms;
static int ends[2];
static void on_alarm(int number) {
    (void)number;
    if (++alarms == 11) {
        setitimer(ITIMER_REAL, &(struct itimerval){0}, 0);
        give(ends[1], "late");
    }
}
int main(void) {
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm, .sa_flags = SA_RESTART}, 0);
    struct itimerval every = {{0, 10000}, {0, 10000}};
    setitimer(ITIMER_REAL, &every, 0);
    take(ends[0], "late");
}
