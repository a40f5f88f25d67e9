// A static binary: nothing to preload into, the same events.
// cc: -static
#include "guest.h"
int main(void) {
    int ends[2];
    TRY(pipe(ends));
    give(ends[1], "static");
    take(ends[0], "static");
}
