/* Fetches a page for whoever asks, through the HTTP client the actor is linked to.
 *
 * What it may reach is the link's affair: this code knows no proxy, no certificate and no allow-list.
 */
#include "../sdk/c/arena.h"
#include "../sdk/c/wapc.h"

#define TEXT(literal) literal, sizeof(literal) - 1

/* A MessagePack map of two: the method, and the url that follows as it came. */
static const char head[] = "\x82\xa6method\xa3GET\xa3url";

static unsigned fail(const char *text, unsigned size) {
  __guest_error(text, size);
  return 0;
}

static unsigned no_memory(void) { return fail(TEXT("fetch: the message does not fit in memory")); }

/* Send the request for `url`, a MessagePack text, and answer with the response as it comes. */
static unsigned get(const char *url, unsigned size) {
  char *request = take(sizeof head - 1 + size);
  if (!request) return no_memory();
  __builtin_memcpy(request, head, sizeof head - 1);
  __builtin_memcpy(request + sizeof head - 1, url, size);
  unsigned called = __host_call(TEXT("default"), TEXT("actorhost:http"), TEXT("request"), request,
                                sizeof head - 1 + size);
  unsigned length = called == 1 ? __host_response_len() : __host_error_len();
  char *text = take(length);
  if (!text) return no_memory();
  if (called != 1) {
    __host_error(text);
    return fail(text, length);
  }
  __host_response(text);
  __guest_response(text, length);
  return 1;
}

unsigned __guest_call(unsigned operation_size, unsigned payload_size) {
  used = 0;
  char *operation = take(operation_size);
  char *payload = take(payload_size);
  if (!operation || !payload) return no_memory();
  __guest_request(operation, payload);
  if (operation_size == 3 && operation[0] == 'G' && operation[1] == 'e' && operation[2] == 't')
    return get(payload, payload_size);
  return fail(TEXT("fetch: the only operation is Get, with a URL as text"));
}
