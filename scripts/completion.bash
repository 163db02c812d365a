# bash completion for chart(1): commands, subcommands and options come from the programs themselves.
_chart()
{
    local chart=${1/#'~/'/"$HOME/"} word=$2 list=() names i

    COMPREPLY=()
    # bash makes words of its own of '=' and of what stands behind it: a file.
    if [[ $word == = || ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then
        _chart_files "${word#=}"
        return
    fi
    ((COMP_CWORD > 1)) && list=("${COMP_WORDS[1]}")
    names=$("$chart" "${list[@]}" --completion 2>/dev/null)
    if ((COMP_CWORD > 2)) && grep -qxe "${COMP_WORDS[2]}" <<<"$names" && [[ ${COMP_WORDS[2]} != -* ]]; then
        names=$("$chart" "${list[@]}" "${COMP_WORDS[2]}" --completion 2>/dev/null)
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} == -- ]] && names= # no options behind it
    done
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$names" -- "$word")
        [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace 2>/dev/null
    elif ((COMP_CWORD <= 2)); then
        mapfile -t COMPREPLY < <(compgen -W "$(grep -v '^-' <<<"$names")" -- "$word")
    fi
    [[ $word != -* ]] && ((COMP_CWORD > 1 && ${#COMPREPLY[@]} == 0)) && _chart_files "$word"
    return 0
}

_chart_files()
{
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$1")
}
complete -F _chart chart
