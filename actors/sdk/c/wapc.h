/* The guest side of waPC for C: the nine functions a host provides, and the one it calls.
 *
 * Every pointer is an offset in this module's own memory, every length is in bytes. The guest owns
 * all buffers; the host copies in and out of them during the call and keeps no pointer afterwards.
 * https://wapc.io/docs/spec/
 */
#ifndef WAPC_H
#define WAPC_H

#define WAPC(name) __attribute__((import_module("wapc"), import_name(#name))) extern

/* Write the operation's name and the payload of the message at hand to these two places. */
WAPC(__guest_request) void __guest_request(char *operation, char *payload);

/* Answer the message at hand, or say why it cannot be answered. One of the two, once. */
WAPC(__guest_response) void __guest_response(const char *payload, unsigned size);
WAPC(__guest_error) void __guest_error(const char *text, unsigned size);

/* Ask the host for something; 1 is success, 0 is failure. */
WAPC(__host_call) unsigned __host_call(const char *binding, unsigned binding_size,
                                       const char *namespace_, unsigned namespace_size,
                                       const char *operation, unsigned operation_size,
                                       const char *payload, unsigned payload_size);

/* After success: the size of the answer, and the answer itself written to this place. */
WAPC(__host_response_len) unsigned __host_response_len(void);
WAPC(__host_response) void __host_response(char *payload);

/* After failure: the size of the text that says why, and the text. */
WAPC(__host_error_len) unsigned __host_error_len(void);
WAPC(__host_error) void __host_error(char *text);

/* Add a line to the actor's log. */
WAPC(__console_log) void __console_log(const char *text, unsigned size);

/* Called by the host for each message with the sizes of operation and payload; 1 means answered. */
__attribute__((export_name("__guest_call"))) unsigned __guest_call(unsigned operation_size,
                                                                   unsigned payload_size);

#endif
