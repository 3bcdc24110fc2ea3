# SPDX-License-Identifier: GPL-2.0-or-later
#
# zsh_offers.zsh FOLDER: what zsh offers behind each line of standard input, which ends where the cursor is. FOLDER
# holds _xenbw. Prints, for each line, what is offered, one per line, then "--".
#
# A real, interactive zsh runs on a pseudo terminal; its compadd is overheard.
zmodload zsh/zpty || exit 1
folder=$1
export ZSH_OFFERS=$folder/offers
zpty shell 'PS1= PS2= TERM=dumb zsh -f -i'
{
	print -r -- "fpath=(${(q)folder} \$fpath); autoload -Uz compinit; compinit -D -u"
	cat <<'END'
unsetopt zle_bracketed_paste 2>/dev/null; setopt no_beep no_prompt_sp no_prompt_cr
overhear() {
	compadd() {
		local -a hits
		local -i passed=0
		local word
		for word in "$@"; do
			[[ $word != -- && $word != - ]] || break
			[[ $word != -[a-zA-Z1-9]#[OAD] ]] || passed=1
		done
		if (( passed )); then builtin compadd "$@"; return; fi
		builtin compadd -O hits "$@"
		(( ! $#hits )) || print -rl -- "${(@)hits}" >>$ZSH_OFFERS
		builtin compadd "$@"
	}
	_main_complete
	unfunction compadd
	print -r -- "END""ED" >/dev/tty
}
setopt extended_glob
zle -C overhear list-choices overhear
bindkey '^I' overhear
print RE''ADY
END
} >$folder/setup.zsh
zpty -w shell "source ${(q)folder}/setup.zsh"
zpty -r shell said '*READY*'
while IFS= read -r line; do
	: >$ZSH_OFFERS
	zpty -w -n shell $'\x15'"$line"$'\t'
	zpty -r shell said '*ENDED*'
	sort -u $ZSH_OFFERS
	print -r -- --
done
zpty -d shell
