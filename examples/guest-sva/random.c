#include "random.h"
int random_run(int s, unsigned long e){(void)s;(void)e;return 0;}
