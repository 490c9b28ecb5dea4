// The entry points of GNU's OpenMP run time that a compiler would emit for `#pragma omp parallel`.
// Calling them directly lets our loops share the one thread pool that oneDNN uses.
#pragma once

void GOMP_parallel(void (*body)(void *), void *context, unsigned threads, unsigned flags);
void omp_set_num_threads(int threads);
int omp_get_max_threads(void);
int omp_get_thread_limit(void);
int omp_get_thread_num(void);
int omp_get_num_threads(void);
void omp_set_dynamic(int dynamic);
