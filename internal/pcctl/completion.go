package pcctl

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/packetcache/packetcache/internal/config"
)

// completionScripts have a shell ask "pcctl complete" for what could come next.
// How a word may go on is decided there, for all shells alike.
var completionScripts = map[string]string{
	"bash": `# bash completion of pcctl. For this shell: source <(pcctl completion bash)
_pcctl() {
	local candidate current=${COMP_WORDS[COMP_CWORD]}
	COMPREPLY=()
	while IFS= read -r candidate; do
		if [ "$candidate" = ":files" ]; then
			compopt -o filenames 2>/dev/null
			while IFS= read -r candidate; do COMPREPLY+=("$candidate"); done < <(compgen -f -- "$current")
		else
			COMPREPLY+=("$(printf %q "$candidate")")
		fi
	done < <(pcctl complete --current="$current" -- "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)
}
complete -F _pcctl pcctl
`,
	"zsh": `#compdef pcctl
# zsh completion of pcctl. For this shell: source <(pcctl completion zsh)
_pcctl() {
	local -a candidates
	candidates=("${(@f)$(pcctl complete --current="$words[CURRENT]" -- "${(@)words[2,CURRENT-1]}" 2>/dev/null)}")
	if [[ ${candidates[(Ie):files]} -gt 0 ]]; then
		_files
		candidates=("${(@)candidates:#:files}")
	fi
	candidates=("${(@)candidates:#}")
	(( ${#candidates} )) && compadd -a candidates
}
(( $+functions[compdef] )) && compdef _pcctl pcctl
`,
	"powershell": `# PowerShell completion of pcctl. For this session:
# pcctl completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName 'pcctl', 'pcctl.exe' -ScriptBlock {
    param($word, $ast, $position)
    $before = @($ast.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $position } | ForEach-Object { $_.Extent.Text.Trim('"', "'") })
    pcctl complete "--current=$word" -- $before 2>$null | Where-Object { $_ -ne ':files' } | ForEach-Object {
        $text = $_
        if ($text -match '[^\w./:+-]') { $text = "'" + $text.Replace("'", "''") + "'" }
        [System.Management.Automation.CompletionResult]::new($text, $_, 'ParameterValue', $_)
    }
}
`,
}

var shells = []string{"bash", "zsh", "powershell"}

func completionCommand() *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print a script with which a shell completes what is typed",
		UsageText: "pcctl completion bash|zsh|powershell",
		ArgsUsage: "bash|zsh|powershell",
		Description: `Completes commands, options and their values, settings, and the names of
interfaces.

Examples:
  source <(pcctl completion bash)      (in ~/.bashrc)
  source <(pcctl completion zsh)       (in ~/.zshrc, behind compinit)
  pcctl completion powershell | Out-String | Invoke-Expression   (in $PROFILE)`,
		Action: func(c *cli.Context) error {
			script, known := completionScripts[c.Args().First()]
			if !known || c.NArg() != 1 {
				return usage(fmt.Errorf("name one of %s", strings.Join(shells, ", ")))
			}
			_, err := fmt.Fprint(c.App.Writer, script)
			return err
		},
	}
}

// completeCommand is what the scripts ask.
func completeCommand(m machine) *cli.Command {
	return &cli.Command{
		Name:      "complete",
		Usage:     "print what could be typed next",
		UsageText: "pcctl complete --current=WORD -- WORDS...",
		ArgsUsage: "WORDS...",
		Hidden:    true,
		Flags:     []cli.Flag{&cli.StringFlag{Name: "current"}},
		Action: func(c *cli.Context) error {
			for _, candidate := range m.complete(c, c.Args().Slice(), c.String("current")) {
				fmt.Fprintln(c.App.Writer, candidate)
			}
			return nil
		},
	}
}

// filesCandidate stands for the names of files.
const filesCandidate = ":files"

// complete lists how a word may go on behind others.
func (m machine) complete(c *cli.Context, before []string, current string) []string {
	commands, flags := c.App.Commands, c.App.Flags
	var path, args []string
	for rest := before; len(rest) > 0; {
		word := rest[0]
		if strings.HasPrefix(word, "-") && word != "-" {
			n := width(flags, word)
			if n > len(rest) {
				return startingWith(current, m.flagValues(c, strings.TrimLeft(word, "-")))
			}
			rest = rest[n:]
			continue
		}
		rest = rest[1:]
		if at, found := commandAt(commands, []string{word}); found && len(args) == 0 {
			path, commands, flags = append(path, word), at.Subcommands, at.Flags
		} else {
			args = append(args, word)
		}
	}
	if strings.HasPrefix(current, "-") {
		return startingWith(current, flagNames(flags))
	}
	var candidates []string
	for _, command := range commands {
		if !command.Hidden && len(args) == 0 {
			candidates = append(candidates, command.Name)
		}
	}
	return startingWith(current, append(candidates, m.arguments(c, strings.Join(path, " "), args)...))
}

// startingWith keeps those that begin with a text.
func startingWith(text string, candidates []string) (kept []string) {
	for _, candidate := range candidates {
		if strings.HasPrefix(candidate, text) || candidate == filesCandidate {
			kept = append(kept, candidate)
		}
	}
	return kept
}

func flagNames(flags []cli.Flag) (names []string) {
	for _, f := range flags {
		if visible, ok := f.(cli.VisibleFlag); ok && visible.IsVisible() {
			names = append(names, "--"+f.Names()[0])
		}
	}
	return append(names, "--help")
}

// flagValues are what an option may be given.
func (m machine) flagValues(c *cli.Context, option string) []string {
	switch option {
	case "format":
		return []string{"pcap", "pcapng"}
	case "w", "write", "i", "identity", "binary", "dir", flagEndpointDir:
		return []string{filesCandidate}
	case "interface", "exclude":
		return m.interfaceNames(c)
	}
	return nil
}

// arguments are what may follow a command and its arguments so far.
func (m machine) arguments(c *cli.Context, command string, args []string) []string {
	switch command {
	case "decrypt", "verify":
		return []string{filesCandidate}
	case "completion":
		return shells
	case "help":
		commands := c.App.Commands
		if at, found := commandAt(commands, args); found {
			commands = at.Subcommands
		}
		return commandNames(commands)
	case "config get", "config unset", "config set":
		if len(args) == 0 {
			return settingKeys()
		}
		if command == "config set" {
			return m.settingValues(c, args[0])
		}
	}
	return nil
}

func commandNames(commands []*cli.Command) (names []string) {
	for _, command := range commands {
		if !command.Hidden {
			names = append(names, command.Name)
		}
	}
	return names
}

func settingKeys() (keys []string) {
	for _, field := range config.Fields() {
		if _, known := config.FieldByKey(field.Key); known {
			keys = append(keys, field.Key)
		}
	}
	return keys
}

// settingValues are those of a setting that are known.
func (m machine) settingValues(c *cli.Context, key string) []string {
	field, known := config.FieldByKey(key)
	switch {
	case !known:
		return nil
	case field.Kind == config.Choice:
		return field.Enum
	case field.Kind == config.Switch:
		return []string{"true", "false"}
	case key == "interfaces" || key == "exclude":
		return m.interfaceNames(c)
	case field.Item == "directory":
		return []string{filesCandidate}
	}
	return nil
}

// interfaceNames are those that the service knows. Nobody who types waits long
// for it.
func (m machine) interfaceNames(c *cli.Context) (names []string) {
	ctx, cancel := context.WithTimeout(c.Context, time.Second)
	defer cancel()
	client := m.newClient(c)
	defer client.Close()
	interfaces, err := client.Interfaces(ctx)
	if err != nil {
		return nil
	}
	for _, i := range interfaces {
		names = append(names, i.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
