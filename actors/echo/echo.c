/* The smallest useful actor: it answers a message with its payload, by way of the host if asked to.
 *
 * Memory: a message and what is made of it live in one arena that starts where the module's data
 * ends and is empty again at the next message, so nothing leaks and nothing is freed. The stack, the
 * data and a short message share the first 4 KiB, so an idle instance keeps one page resident.
 */
#include "../sdk/c/arena.h"
#include "../sdk/c/wapc.h"

#define TEXT(literal) literal, sizeof(literal) - 1

static unsigned answer(const char *payload, unsigned size) {
  __guest_response(payload, size);
  return 1;
}

static unsigned fail(const char *text, unsigned size) {
  __guest_error(text, size);
  return 0;
}

static unsigned no_memory(void) { return fail(TEXT("echo: the message does not fit in memory")); }

/* Pass `payload` on as the parameters of actorhost:keyvalue's `get`, and answer what comes back. */
static unsigned call_host(const char *payload, unsigned size) {
  unsigned called = __host_call(TEXT("default"), TEXT("actorhost:keyvalue"), TEXT("get"), payload, size);
  unsigned length = called == 1 ? __host_response_len() : __host_error_len();
  char *text = take(length);
  if (!text) return no_memory();
  if (called != 1) {
    __host_error(text);
    return fail(text, length);
  }
  __host_response(text);
  return answer(text, length);
}

static unsigned log_line(const char *payload, unsigned size) {
  __console_log(payload, size);
  return answer(payload, size);
}

static unsigned unknown(const char *operation, unsigned size) {
  static const char prefix[] = "echo: unknown operation ";
  unsigned length = sizeof prefix - 1;
  char *text = take(length + size);
  if (!text) return no_memory();
  __builtin_memcpy(text, prefix, length);
  __builtin_memcpy(text + length, operation, size);
  return fail(text, length + size);
}

static int same(const char *left, unsigned left_size, const char *right, unsigned right_size) {
  if (left_size != right_size) return 0;
  for (unsigned i = 0; i < left_size; i++)
    if (left[i] != right[i]) return 0;
  return 1;
}

unsigned __guest_call(unsigned operation_size, unsigned payload_size) {
  used = 0;
  char *operation = take(operation_size);
  char *payload = take(payload_size);
  if (!operation || !payload) return no_memory();
  __guest_request(operation, payload);
  if (same(operation, operation_size, TEXT("Echo"))) return answer(payload, payload_size);
  if (same(operation, operation_size, TEXT("Call"))) return call_host(payload, payload_size);
  if (same(operation, operation_size, TEXT("Log"))) return log_line(payload, payload_size);
  if (same(operation, operation_size, TEXT("Fail"))) return fail(payload, payload_size);
  return unknown(operation, operation_size);
}
