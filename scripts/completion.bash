# bash completion for chart(1): commands, subcommands and options come from the programs themselves.
_chart()
{
    local word=${COMP_WORDS[COMP_CWORD]} line=(chart) i

    COMPREPLY=()
    # The command (and a subcommand) stand before the word that is completed.
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} == -* ]] && break
        [[ ${COMP_WORDS[i]} =~ ^[a-z]+$ ]] && line+=("${COMP_WORDS[i]}")
        ((i == 2)) && break
    done
    mapfile -t COMPREPLY < <(compgen -W "$("${line[@]}" --completion 2>/dev/null ||
        "${line[@]:0:2}" --completion 2>/dev/null)" -- "$word")
    if [[ ${COMPREPLY[0]-} == *= ]]; then
        compopt -o nospace 2>/dev/null
    elif ((${#COMPREPLY[@]} == 0)); then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
    return 0
}
complete -F _chart chart
