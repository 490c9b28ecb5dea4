#include "variants.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tile_kernels.h"

vector_level sltt_vector_level = VECTORS_ANY;
_Bool sltt_has_compress = 0;

static const char *const names[] = {"any", "avx2", "avx512", "amx"};
static _Bool has_vnni = 0;
static sltt_amx_state amx_state = SLTT_AMX_ABSENT;
static int amx_error = 0;

const char *sltt_vectors(void) { return names[sltt_vector_level]; }
sltt_amx_state sltt_amx(void) { return amx_state; }
int sltt_amx_error(void) { return amx_error; }

int sltt_has_tile_engine(sltt_tile_engine engine) {
  switch (engine) {
    case SLTT_TILES_AMX: return sltt_vector_level == VECTORS_AMX;
    case SLTT_TILES_VNNI: return has_vnni;
    case SLTT_TILES_AVX2: return sltt_vector_level >= VECTORS_AVX2;
    case SLTT_TILES_PLAIN: break;
  }
  return 1;
}

#if defined(__x86_64__)
// The system lets a process use AMX when it asks (Linux, Documentation/arch/x86/xstate.rst); threads
// that are made later may use it too. Returns 0 or the error.
static int ask_for_amx(void) {
#if defined(__linux__)
  const long request_permission = 0x1023, tile_data = 18;
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0 ? 0 : errno;
#else
  return ENOTSUP;
#endif
}
#endif

__attribute__((constructor)) static void choose_variants(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  vector_level level = __builtin_cpu_supports("x86-64-v4")   ? VECTORS_AVX512
                       : __builtin_cpu_supports("x86-64-v3") ? VECTORS_AVX2
                                                             : VECTORS_ANY;
  if (level == VECTORS_AVX512 && __builtin_cpu_supports("amx-tile") &&
      __builtin_cpu_supports("amx-int8") && __builtin_cpu_supports("amx-bf16"))
    level = VECTORS_AMX;
  _Bool has_amx = level == VECTORS_AMX;
  const char *wanted = getenv("SLTT_VECTORS");
  for (vector_level lesser = VECTORS_ANY; wanted && lesser < level; lesser++)
    if (strcmp(wanted, names[lesser]) == 0) level = lesser;
  if (has_amx) amx_state = level == VECTORS_AMX ? SLTT_AMX_USED : SLTT_AMX_LEFT_OUT;
  if (level == VECTORS_AMX && (amx_error = ask_for_amx())) {
    amx_state = SLTT_AMX_REFUSED;
    level = VECTORS_AVX512;
  }
  sltt_vector_level = level;
  sltt_has_compress = level >= VECTORS_AVX512 && __builtin_cpu_supports("avx512vbmi2");
  has_vnni = level >= VECTORS_AVX512 && __builtin_cpu_supports("avx512vnni");
#endif
}
