// Package reference makes the pages of documentation that list the settings
// from their description in package config.
package reference

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/packetcache/packetcache/internal/config"
)

const introduction = `<!-- Made from internal/config/settings.go by "make generate"; a test compares. -->
# Configuration

PacketCache runs without any configuration. What is listed here can be changed
in these places; where several name the same setting, the later one wins:

1. the defaults below,
2. on Linux the file ` + "`/etc/packetcache/packetcache.toml`" + `, on Windows the
   registry key ` + "`HKLM\\SOFTWARE\\PacketCache`" + `,
3. the command line of ` + "`packetcache`" + `,
4. on Windows the policy key ` + "`HKLM\\SOFTWARE\\Policies\\PacketCache`" + `.

They are read when the service starts, and while it runs whenever they change:
what the table below says applies at once does so within a second or two, and the
log says what was changed. A budget grows without losing anything and shrinks by
forgetting as always. Interfaces that stay selected are recorded without a gap,
except that a new filter or promiscuous mode opens them anew, in a few
milliseconds. The command line counts for as long as the service runs.

Names are in kebab case in the file and on the command line, and in Pascal case
in the registry. A value that is wrong is reported with its place and the
allowed range, and is not used: the value before it stays in force, or that of
a weaker place, and the rest of its file counts all the same. A file that is
not valid TOML counts as a whole or not at all. When the settings that keep
something out (interfaces, exclude, capture-filter) are wrong at the start, the
service records nothing until they are right, rather than what it must not; when
they become so while it runs, what is in force stays. What is wrong is told in the
log and by ` + "`pcctl status`" + `.

The file is [TOML](https://toml.io/en/v1.0.0) with one ` + "`key = value`" + ` a line:

`

// Markdown returns docs/configuration.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString(introduction)
	fields := config.Fields()
	b.WriteString("```toml\n")
	for _, f := range fields {
		if f.Key == "ram-percent" {
			b.WriteString("# ") // one of the two ways to say how much
		}
		fmt.Fprintf(&b, "%s = %s\n", f.Key, tomlExample(f))
	}
	b.WriteString("```\n\nIn the registry a number is a REG_DWORD or, with a fraction, a REG_SZ; true and\n" +
		"false are the REG_DWORD 1 and 0; a list is a REG_MULTI_SZ, or, but for `retain`, a REG_SZ\n" +
		"with | between the items; all else is a REG_SZ.\n\n" +
		"## Settings\n\n| setting | default | allowed | applies |\n| --- | --- | --- | --- |\n")
	for _, f := range fields {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s | %s |\n", f.Key, f.Key, showDefault(f), f.Allowed(), applies(f))
	}
	for _, f := range fields {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n", f.Key, f.Doc)
		fmt.Fprintf(&b, "- allowed: %s\n- default: %s\n", f.Allowed(), showDefault(f))
		fmt.Fprintf(&b, "- file: `%s = %s`\n", f.Key, tomlExample(f))
		if f.Flag != "" {
			fmt.Fprintf(&b, "- command line: `%s`\n", flagExample(f))
		}
		if f.OS == "" || f.OS == "windows" {
			fmt.Fprintf(&b, "- registry: `%s`\n", f.Registry)
		}
		if f.OS != "" {
			fmt.Fprintf(&b, "- only on %s\n", osName(f.OS))
		}
	}
	return b.String()
}

func applies(f config.Field) string {
	if f.Restart {
		return "after a restart"
	}
	return "at once"
}

func showDefault(f config.Field) string {
	show := func(value string) string {
		switch {
		case value != "":
			return "`" + value + "`"
		case f.Kind == config.List:
			return "empty"
		}
		return "not set"
	}
	if f.Default == f.DefaultWindows {
		return show(f.Default)
	}
	return show(f.Default) + ", on Windows " + show(f.DefaultWindows)
}

func tomlExample(f config.Field) string {
	switch f.Kind {
	case config.Number, config.Switch:
		return f.Example
	case config.List:
		var items []string
		for item := range strings.SplitSeq(f.Example, ", ") {
			items = append(items, strconv.Quote(item))
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	return strconv.Quote(f.Example)
}

func flagExample(f config.Field) string {
	if f.Kind == config.Switch {
		return "--" + f.Flag
	}
	var options []string
	for item := range strings.SplitSeq(f.Example, ", ") {
		if strings.ContainsAny(item, "*?[ ") {
			item = "'" + item + "'"
		}
		options = append(options, "--"+f.Flag+" "+item)
	}
	return strings.Join(options, " ")
}

func osName(goos string) string { return strings.ToUpper(goos[:1]) + goos[1:] }
