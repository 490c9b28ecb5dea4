// glibc's own functions of malloc, which Swift's module of it leaves out.
#pragma once

#include <malloc.h>
