/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * passwd: `xenbw passwd`, who may log in at `xenbw web`, and whose domains they see there.
 *
 * The password is typed twice, unseen, or is the first line of a pipe. It is kept as a hash only.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/err.h"
#include "base/folder.h"
#include "base/mem.h"
#include "base/passwords.h"
#include "base/user.h"
#include "cli/cli.h"
#include "cli/commands.h"

#define SHORTEST_PASSWORD 8

/* ---- the password ---- */

/* One line without its end; NULL where there is none. */
static char *read_line(void)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t length = getline(&line, &room, stdin);

	if (length < 0 || strlen(line) != (size_t)length) {
		free(line);
		return NULL;
	}
	line[strcspn(line, "\r\n")] = '\0';
	return line;
}

static char *ask(const char *what)
{
	struct termios was, unseen;
	bool terminal = tcgetattr(STDIN_FILENO, &was) == 0;
	char *line;

	if (!terminal)
		return read_line();
	unseen = was;
	unseen.c_lflag &= ~(tcflag_t)ECHO;
	fputs(what, stderr);
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen) < 0)
		return NULL;
	line = read_line();
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &was) < 0)
		cli_note("the terminal does not show again what is typed; `stty echo` helps");
	fputs("\n", stderr);
	return line;
}

static void forget(char *password)
{
	if (password)
		explicit_bzero(password, strlen(password));
	free(password);
}

static char *new_password(char **err)
{
	char *first = ask("New password: "), *second = NULL;

	if (!first)
		err_set(err, "passwd: no password was given");
	else if (strlen(first) < SHORTEST_PASSWORD || strlen(first) > PASSWORDS_LONGEST)
		err_set(err, "passwd: a password has %d to %d bytes", SHORTEST_PASSWORD, PASSWORDS_LONGEST);
	else if (!isatty(STDIN_FILENO))
		return first;
	else if (!(second = ask("The same again: ")) || strcmp(first, second) != 0)
		err_set(err, "passwd: these were two passwords; nothing was changed");
	else {
		forget(second);
		return first;
	}
	forget(second);
	forget(first);
	return NULL;
}

/* ---- the user ---- */

static bool is_owner(const struct conf *conf, const char *owner)
{
	for (size_t i = 0; i < conf->owners.count; i++)
		if (strcmp(conf->owners.list[i].owner, owner) == 0)
			return true;
	return false;
}

/* Whose domains the user will see; NULL with a usage error. */
static const char *owner_of(const struct cli *cli, const char *name, char **err)
{
	const char *owner = cli->args.value[OPTION_OWNER];

	if (cli->args.value[OPTION_ADMIN] && owner) {
		err_set(err, "passwd: --admin or --owner, not both");
		return NULL;
	}
	if (cli->args.value[OPTION_ADMIN])
		return PASSWORDS_ADMIN;
	if (!owner)
		owner = name;
	if (!is_owner(&cli->conf, owner) || !passwords_is_name(owner)) {
		err_set(err,
			"passwd: the configuration has no owner `%s`; write `owner %s DOMAIN ...` there, or "
			"give --owner NAME, or --admin for one who sees all",
			owner, owner);
		return NULL;
	}
	return owner;
}

static int set_user(struct passwords *p, const char *name, const char *owner, char **err)
{
	char *password = new_password(err), *hash = password ? passwords_hash(password, err) : NULL;

	forget(password);
	if (!hash)
		return -1;
	passwords_set(p, name, owner, hash);
	free(hash);
	return 0;
}

/* The group of those that xenbw-web runs as. */
static int write_file(const struct cli *cli, const struct passwords *p, char **err)
{
	struct user u;
	int rc = user_find(cli->conf.user, &u, err);

	if (rc == 0)
		rc = err_set(err,
			     "there is no user `%s`, whom xenbw-web would run as; see `user` in "
			     "xenbw.conf(5)",
			     cli->conf.user);
	if (rc < 0 || folder_of(cli->conf.web.users, 0755, err) < 0)
		return -1;
	return passwords_write(p, cli->conf.web.users, u.gid, err);
}

static int change(struct cli *cli, struct passwords *p, const char *owner, char **err)
{
	const char *name = cli->args.words[0];

	if (!owner && !passwords_remove(p, name))
		return err_set(err, "there is no user `%s` in %s", name, cli->conf.web.users);
	if (owner && set_user(p, name, owner, err) < 0)
		return -1;
	return write_file(cli, p, err);
}

int cli_passwd(struct cli *cli, char **err)
{
	const char *name = cli->args.words[0], *owner = NULL;
	struct passwords p;
	int rc;

	if (cli_configure(cli, err) < 0)
		return CLI_FAILED;
	if (!passwords_is_name(name)) {
		err_set(err, "passwd: `%s` cannot be a user's name: no ':', at most 64 bytes", name);
		return CLI_USAGE;
	}
	if (!cli->args.value[OPTION_REMOVE] && !(owner = owner_of(cli, name, err)))
		return CLI_USAGE;
	rc = passwords_read(&p, cli->conf.web.users, err);
	if (rc >= 0)
		rc = change(cli, &p, owner, err);
	passwords_free(&p);
	return rc < 0 ? CLI_FAILED : CLI_OK;
}
