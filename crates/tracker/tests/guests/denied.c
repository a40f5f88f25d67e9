// io_uring and kernel AIO are answered ENOSYS, so that programs fall back to calls that are seen.
#include "guest.h"
#include <linux/io_uring.h>
int main(void) {
    struct io_uring_params parameters = {0};
    unsigned long context = 0;
    NEED(syscall(SYS_io_uring_setup, 8, &parameters) == -1 && errno == ENOSYS);
    NEED(syscall(SYS_io_setup, 8, &context) == -1 && errno == ENOSYS);
}
