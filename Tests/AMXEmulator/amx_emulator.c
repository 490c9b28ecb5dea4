#define _GNU_SOURCE
#include "amx_emulator.h"

#if defined(__x86_64__) && defined(__linux__)

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

enum { TILES = 8, ROWS = 16, ROW_BYTES = 64 };

// Intel, Software Developer's Manual, LDTILECFG.
typedef struct {
  uint8_t palette, start_row, reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
} tile_configuration;

static _Thread_local tile_configuration configuration;
static _Thread_local uint8_t tiles[TILES][ROWS][ROW_BYTES];
static atomic_long carried_out;
static struct sigaction former;

// Registers in the order of their encoding.
static const int registers[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                  REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                  REG_R12, REG_R13, REG_R14, REG_R15};

typedef struct {
  unsigned prefix;               // of VEX: 0 none, 1 66, 2 F3, 3 F2
  uint8_t opcode, mod;
  unsigned reg, rm, vvvv;
  uint8_t *address;              // of the memory operand
  size_t stride;                 // of its rows: the index register
  size_t length;
} instruction;

// Three-byte VEX instructions of map 0F38. Returns 0 for others.
static int decode(const uint8_t *code, const greg_t *values, instruction *i) {
  if (code[0] != 0xc4 || (code[1] & 31) != 2) return 0;
  unsigned r = !(code[1] & 0x80), x = !(code[1] & 0x40), b = !(code[1] & 0x20);
  i->prefix = code[2] & 3;
  i->vvvv = ~(code[2] >> 3) & 15;
  i->opcode = code[3];
  uint8_t modrm = code[4];
  i->mod = modrm >> 6;
  i->reg = (modrm >> 3 & 7) | r << 3;
  i->rm = (modrm & 7) | b << 3;
  const uint8_t *next = code + 5;
  if (i->mod != 3) {
    uint64_t base = 0;
    if ((modrm & 7) == 4) {
      uint8_t sib = *next++;
      unsigned index = (sib >> 3 & 7) | x << 3;
      if (index != 4) i->stride = (size_t)values[registers[index]] << (sib >> 6);
      if ((sib & 7) == 5 && i->mod == 0) return 0;
      base = (uint64_t)values[registers[(sib & 7) | b << 3]];
    } else if ((modrm & 7) == 5 && i->mod == 0) {
      int32_t offset;  // from the instruction's end
      memcpy(&offset, next, sizeof offset);
      base = (uint64_t)(next + 4) + (uint64_t)(int64_t)offset;
      next += 4;
    } else {
      base = (uint64_t)values[registers[i->rm]];
    }
    int32_t displacement = 0;
    if (i->mod == 1) displacement = (int8_t)*next++;
    if (i->mod == 2) {
      memcpy(&displacement, next, sizeof displacement);
      next += 4;
    }
    i->address = (uint8_t *)(base + (uint64_t)(int64_t)displacement);
  }
  i->length = (size_t)(next - code);
  return 1;
}

static void multiply_int8(uint8_t (*c)[ROW_BYTES], uint8_t (*a)[ROW_BYTES], uint8_t (*b)[ROW_BYTES]) {
  for (size_t m = 0; m < ROWS; m++) {
    for (size_t n = 0; n < ROW_BYTES / 4; n++) {
      int32_t sum;
      memcpy(&sum, &c[m][4 * n], sizeof sum);
      for (size_t k = 0; k < ROW_BYTES; k++) sum += a[m][k] * (int8_t)b[k / 4][4 * n + k % 4];
      memcpy(&c[m][4 * n], &sum, sizeof sum);
    }
  }
}

static float bfloat16(const uint8_t *bytes) {
  uint32_t bits = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 24;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// Even and odd elements are summed apart (Software Developer's Manual, TDPBF16PS).
static void multiply_bfloat16(uint8_t (*c)[ROW_BYTES], uint8_t (*a)[ROW_BYTES],
                              uint8_t (*b)[ROW_BYTES]) {
  for (size_t m = 0; m < ROWS; m++) {
    for (size_t n = 0; n < ROW_BYTES / 4; n++) {
      float even = 0, odd = 0, sum;
      for (size_t k = 0; k < ROW_BYTES / 4; k++) {
        even += bfloat16(&a[m][4 * k]) * bfloat16(&b[k][4 * n]);
        odd += bfloat16(&a[m][4 * k + 2]) * bfloat16(&b[k][4 * n + 2]);
      }
      memcpy(&sum, &c[m][4 * n], sizeof sum);
      sum += even + odd;
      memcpy(&c[m][4 * n], &sum, sizeof sum);
    }
  }
}

// Whether the thread has configured all tiles in full size, as this emulator takes them to be.
static int is_configured(void) {
  for (size_t tile = 0; tile < TILES; tile++)
    if (configuration.row_bytes[tile] != ROW_BYTES || configuration.rows[tile] != ROWS) return 0;
  return configuration.palette == 1;
}

static int carry_out(const instruction *i) {
  enum { NONE, P66, PF3, PF2 };
  if (i->opcode == 0x49 && i->prefix == NONE) {
    if (i->mod == 3)
      memset(&configuration, 0, sizeof configuration);
    else
      memcpy(&configuration, i->address, sizeof configuration);
    memset(tiles, 0, sizeof tiles);
    return 1;
  }
  if (!is_configured() || i->reg >= TILES) return 0;
  if (i->opcode == 0x49 && i->prefix == PF2 && i->mod == 3) {
    memset(tiles[i->reg], 0, sizeof tiles[i->reg]);
  } else if (i->opcode == 0x4b && (i->prefix == PF2 || i->prefix == PF3) && i->mod != 3) {
    for (size_t row = 0; row < ROWS; row++) {
      uint8_t *memory = i->address + row * i->stride;
      if (i->prefix == PF2)
        memcpy(tiles[i->reg][row], memory, ROW_BYTES);
      else
        memcpy(memory, tiles[i->reg][row], ROW_BYTES);
    }
  } else if (i->mod == 3 && i->rm < TILES && i->vvvv < TILES &&
             ((i->opcode == 0x5e && i->prefix == P66) || (i->opcode == 0x5c && i->prefix == PF3))) {
    (i->opcode == 0x5e ? multiply_int8 : multiply_bfloat16)(tiles[i->reg], tiles[i->rm],
                                                            tiles[i->vvvv]);
  } else {
    return 0;
  }
  return 1;
}

static void handle(int signal, siginfo_t *info, void *context) {
  (void)info;
  greg_t *values = ((ucontext_t *)context)->uc_mcontext.gregs;
  instruction i = {0};
  if (decode((const uint8_t *)values[REG_RIP], values, &i) && carry_out(&i)) {
    values[REG_RIP] += (greg_t)i.length;
    atomic_fetch_add(&carried_out, 1);
    return;
  }
  sigaction(signal, &former, NULL);  // and fail again
}

int amx_emulator_exists(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("x86-64-v4") && !__builtin_cpu_supports("amx-tile");
}

void amx_emulator_start(void) {
  struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_NODEFER};
  atomic_store(&carried_out, 0);
  sigaction(SIGILL, &action, &former);
}

long amx_emulator_stop(void) {
  sigaction(SIGILL, &former, NULL);
  return atomic_load(&carried_out);
}

#else

int amx_emulator_exists(void) { return 0; }
void amx_emulator_start(void) {}
long amx_emulator_stop(void) { return 0; }

#endif
