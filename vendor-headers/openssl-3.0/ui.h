/* <openssl/ui.h>: asking for passwords. */

/* Types */
typedef struct ui_string_st UI_STRING;

/* Input */
#define UI_INPUT_FLAG_ECHO ...
#define UI_INPUT_FLAG_DEFAULT_PWD ...
#define UI_INPUT_FLAG_USER_BASE ...

/* Controls */
#define UI_CTRL_PRINT_ERRORS ...
#define UI_CTRL_IS_REDOABLE ...

/* Kinds of string */
#define UIT_NONE ...
#define UIT_PROMPT ...
#define UIT_VERIFY ...
#define UIT_BOOLEAN ...
#define UIT_INFO ...
#define UIT_ERROR ...

/* Asking a person */
UI *UI_new(void);
UI *UI_new_method(const UI_METHOD *);
void UI_free(UI *);
int UI_add_input_string(UI *, const char *, int, char *, int, int);
int UI_dup_input_string(UI *, const char *, int, char *, int, int);
char *UI_construct_prompt(UI *, const char *, const char *);
void *UI_add_user_data(UI *, void *);
void *UI_get0_user_data(UI *);
const char *UI_get0_result(UI *, int);
int UI_get_result_length(UI *, int);
int UI_process(UI *);
void UI_set_default_method(const UI_METHOD *);
const UI_METHOD *UI_get_default_method(void);
const UI_METHOD *UI_get_method(UI *);
const UI_METHOD *UI_set_method(UI *, const UI_METHOD *);
UI_METHOD *UI_OpenSSL(void);
const UI_METHOD *UI_null(void);
UI_METHOD *UI_create_method(const char *);
void UI_destroy_method(UI_METHOD *);
int UI_method_set_opener(UI_METHOD *, int (*)(UI *));
int UI_method_set_writer(UI_METHOD *, int (*)(UI *, UI_STRING *));
int UI_method_set_flusher(UI_METHOD *, int (*)(UI *));
int UI_method_set_reader(UI_METHOD *, int (*)(UI *, UI_STRING *));
int UI_method_set_closer(UI_METHOD *, int (*)(UI *));
int UI_method_set_data_duplicator(UI_METHOD *, void *(*)(UI *, void *), void (*)(UI *, void *));
int UI_method_set_prompt_constructor(UI_METHOD *, char *(*)(UI *, const char *, const char *));
int UI_get_input_flags(UI_STRING *);
const char *UI_get0_output_string(UI_STRING *);
const char *UI_get0_action_string(UI_STRING *);
const char *UI_get0_result_string(UI_STRING *);
int UI_get_result_string_length(UI_STRING *);
const char *UI_get0_test_string(UI_STRING *);
int UI_get_result_minsize(UI_STRING *);
int UI_get_result_maxsize(UI_STRING *);
int UI_set_result(UI *, UI_STRING *, const char *);
int UI_set_result_ex(UI *, UI_STRING *, const char *, int);
int UI_UTIL_read_pw_string(char *, int, const char *, int);
int UI_UTIL_read_pw(char *, char *, int, const char *, int);
UI_METHOD *UI_UTIL_wrap_read_pem_callback(pem_password_cb *, int);
