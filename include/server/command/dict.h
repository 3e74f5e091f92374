/* dict.h - `sluice dict OLD... NEW`: NEW compressed with OLD as its dictionary, in the files that
 * dictionary_static looks for. RFC 9842, sections 4 and 5. */
#ifndef SERVER_COMMAND_DICT_H
#define SERVER_COMMAND_DICT_H

int dict_run(int argc, char **argv); /* argv[0] is "dict"; the exit code */

#endif
