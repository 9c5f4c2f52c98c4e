/* Memory for one message: an arena that starts where the module's data ends.
 *
 * It is empty again at the next message, so nothing leaks and nothing is freed.
 */
#ifndef ARENA_H
#define ARENA_H

#define PAGE 65536u

extern char __heap_base; /* set by the linker: the first byte after stack and data */

static unsigned used; /* bytes of the arena in use; set to 0 when a message comes */

/* Take `size` bytes from the arena, or none (a null pointer) if the memory's limit is reached. */
static char *take(unsigned size) {
  unsigned at = (unsigned)&__heap_base + used;
  unsigned long long end = (unsigned long long)at + size;
  unsigned long long have = (unsigned long long)__builtin_wasm_memory_size(0) * PAGE;
  if (end > have) {
    unsigned pages = (unsigned)((end - have + PAGE - 1) / PAGE);
    if (__builtin_wasm_memory_grow(0, pages) == (unsigned long)-1) return 0;
  }
  used += size;
  return (char *)at;
}

#endif
