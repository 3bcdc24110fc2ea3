/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * completion_zsh: `xenbw completion zsh`, made from the table of commands as bash's is.
 */
#ifndef XENBW_COMPLETION_ZSH_H
#define XENBW_COMPLETION_ZSH_H

/* To standard output: a file _xenbw for a folder of zsh's fpath. */
void completion_zsh(void);

#endif
