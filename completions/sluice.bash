# bash completion for sluice(8)                                                     -*- shell-script -*-

_sluice()
{
    local cur prev words cword
    _init_completion || return

    local command=${words[1]-}
    [[ $cword -gt 1 ]] || command=

    case $prev in
    -c | -e)
        _filedir
        return
        ;;
    -p)
        _filedir -d
        return
        ;;
    -s)
        COMPREPLY=($(compgen -W 'stop quit reload reopen' -- "$cur"))
        return
        ;;
    -X)
        COMPREPLY=($(compgen -W 'GET HEAD' -- "$cur"))
        return
        ;;
    -g | -l | -a | -H | --time)
        return
        ;;
    esac

    case $command in
    explain)
        COMPREPLY=($(compgen -W '-c -p -g -l -a -X -I -H --http2' -- "$cur"))
        return
        ;;
    dict)
        [[ $cur == -* ]] && COMPREPLY=($(compgen -W '--dcz --dcb -o -q' -- "$cur")) || _filedir
        return
        ;;
    tune)
        [[ $cur == -* ]] && COMPREPLY=($(compgen -W '--json --time' -- "$cur")) || _filedir -d
        return
        ;;
    esac

    if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W '-h --help -v --version -V -t -T -q -s -p -e -c -g -l --tls --qr' -- "$cur"))
        return
    fi
    _filedir -d
    [[ $cword -ne 1 ]] || COMPREPLY+=($(compgen -W 'dict explain tune healthcheck' -- "$cur"))
} &&
    complete -F _sluice sluice
