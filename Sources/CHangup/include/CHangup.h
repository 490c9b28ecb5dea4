#pragma once

#include <stdbool.h>

/// Whether this process was started with SIGHUP ignored, as by nohup: before any library was initialised.
bool hangup_was_ignored(void);
