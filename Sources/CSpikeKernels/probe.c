#include "spike_kernels.h"
