// Intel's AMX in software, so that code that uses it is tested on processors without it: a handler of
// SIGILL that carries out the tile instructions which the processor does not know.
#pragma once

// Whether this can be done here: on x86-64 Linux, where the processor has AVX-512, as all with AMX have,
// but not AMX itself.
int amx_emulator_exists(void);

// From here on tile instructions are carried out, in all threads.
void amx_emulator_start(void);

// Puts the former handler back. Returns how many instructions were carried out.
long amx_emulator_stop(void);
