package main

import (
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/packetcache/packetcache/internal/config"
)

// settle parses a command line into settings, as serve does.
func settle(t *testing.T, args ...string) (s config.Settings, replay []string, err error) {
	t.Helper()
	app := newApp(io.Discard, io.Discard, func(c *cli.Context) error {
		given, err := arguments(c)
		if err != nil {
			return err
		}
		loaded := (&config.Loader{Sources: []config.Source{given}, TotalRAM: 64 << 30}).Load(nil)
		if len(loaded.Problems) > 0 {
			return loaded.Problems[0]
		}
		s, replay = loaded.Settings, c.StringSlice(flagReplay)
		return nil
	})
	err = app.Run(arrange(append([]string{"packetcache"}, args...)))
	return s, replay, err
}

func TestCommandLines(t *testing.T) {
	for _, test := range []struct {
		line string // words separated by |
		want func(*config.Settings)
	}{
		{"", func(*config.Settings) {}},
		{"5", func(s *config.Settings) { s.RAMPercent = 5 }},
		{"0.5|--log-level|debug", func(s *config.Settings) { s.RAMPercent, s.LogLevel = 0.5, "debug" }},
		{"--log-level|debug|0.5", func(s *config.Settings) { s.RAMPercent, s.LogLevel = 0.5, "debug" }},
		{"--log-level|debug|5|--exclude|a*", func(s *config.Settings) { s.RAMPercent, s.LogLevel, s.Exclude = 5, "debug", []string{"a*"} }},
		{"--log-level=debug|5", func(s *config.Settings) { s.RAMPercent, s.LogLevel = 5, "debug" }},
		{"-log-level|debug|5", func(s *config.Settings) { s.RAMPercent, s.LogLevel = 5, "debug" }},
		{"5%", func(s *config.Settings) { s.RAMPercent = 5 }},
		{"--|5", func(s *config.Settings) { s.RAMPercent = 5 }},
		{"--log-level|debug|--|5", func(s *config.Settings) { s.RAMPercent, s.LogLevel = 5, "debug" }},
		{"--ram-percent|5", func(s *config.Settings) { s.RAMPercent = 5 }},
		{"--ram-size|40MiB", func(s *config.Settings) { s.RAMSize = 40 << 20 }},
		{"--interface|Ethernet, 2", func(s *config.Settings) { s.Interfaces = []string{"Ethernet, 2"} }},
		{"--interface=Ethernet, 2|5", func(s *config.Settings) { s.Interfaces, s.RAMPercent = []string{"Ethernet, 2"}, 5 }},
		{"--interface|a|5|--interface|b, c", func(s *config.Settings) { s.Interfaces, s.RAMPercent = []string{"a", "b, c"}, 5 }},
		{"--interface|-odd", func(s *config.Settings) { s.Interfaces = []string{"-odd"} }},
		{"--interface|5|5", func(s *config.Settings) { s.Interfaces, s.RAMPercent = []string{"5"}, 5 }},
		{"--promiscuous|5", func(s *config.Settings) { s.Promiscuous, s.RAMPercent = true, 5 }},
		{"5|--promiscuous=false", func(s *config.Settings) { s.RAMPercent = 5 }},
		{"5|--capture-filter|not port 53, or so|--promiscuous", func(s *config.Settings) {
			s.RAMPercent, s.CaptureFilter, s.Promiscuous = 5, "not port 53, or so", true
		}},
		{"--retain|x4 port 53, 54|5|--retain|x0 host 192.0.2.7", func(s *config.Settings) {
			s.RAMPercent, s.Retain = 5, []string{"x4 port 53, 54", "x0 host 192.0.2.7"}
		}},
		{"--endpoint-dir|/run/x|--data-dir|/srv/x", func(s *config.Settings) { s.EndpointDir, s.DataDir = "/run/x", "/srv/x" }},
	} {
		var args []string
		if test.line != "" {
			args = strings.Split(test.line, "|")
		}
		if strings.Contains(test.line, "-dir") && runtime.GOOS == "windows" {
			continue // where paths look different
		}
		got, _, err := settle(t, args...)
		want := config.Defaults()
		test.want(&want)
		if changes := config.Diff(&want, &got); err != nil || len(changes) > 0 {
			t.Errorf("%s: %v, differs in %v", test.line, err, changes)
		}
	}
}

func TestReplayFlag(t *testing.T) {
	for _, line := range []string{"--replay|a, b.pcap|5|--replay|c", "5|--replay=a, b.pcap|--replay|c"} {
		if _, replay, err := settle(t, strings.Split(line, "|")...); err != nil || !slices.Equal(replay, []string{"a, b.pcap", "c"}) {
			t.Errorf("%s: %q, %v", line, replay, err)
		}
	}
}

func TestWrongCommandLines(t *testing.T) {
	for line, says := range map[string]string{
		"--interface":           "--interface: its value is missing",
		"--promiscuous=maybe":   "\"maybe\" is neither true nor false",
		"5|--interface":         "--interface: its value is missing",
		"--replay":              "--replay: its value is missing",
		"--bogus":               "no option --bogus",
		"--intreface|a":         "did you mean \"--interface\"?",
		"-5":                    "no option -5",
		"5|--ram-percent|5":     "given twice",
		"5|--ram-size|40MiB":    "no effect",
		"60":                    "from 0.1 to 50",
		"--|-5":                 "from 0.1 to 50",
		"--ram-percent|0.05":    "from 0.1 to 50",
		"NaN":                   "from 0.1 to 50",
		"much":                  "from 0.1 to 50",
		"":                      "from 0.1 to 50",
		"--ram-size|4MiB":       "from 8 MiB to 50 % of RAM",
		"--ram-size|33GiB":      "32 GiB",
		"--ram-size|40 parsecs": "from 8 MiB",
		"--log-level|loud":      "trace, debug, info, warn, error",
		"--interface|[":         "at most 256 names or patterns",
		"--exclude|":            "at most 256 names or patterns",
		"--data-dir|":           "absolute path",
		"--endpoint-dir|a\x00b": "absolute path",
		"--interface|a\nb":      "at most 256 names or patterns",
		"--data-dir|/" + strings.Repeat("x", 1100): "at most 1024 bytes",
	} {
		_, _, err := settle(t, strings.Split(line, "|")...)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.60s: %v, want %q", line, err, says)
		}
	}
}

// Whatever the words, none is lost and none is added but the -- between
// options and arguments.
func FuzzArrange(f *testing.F) {
	for _, line := range []string{"5|--interface|Ethernet, 2|--|--x", "--interface|", "5|--interface", "--|--|-", "--help|5"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Split("packetcache|"+line, "|")
		got := arrange(slices.Clone(args))
		if last := got[len(got)-1]; !slices.Contains(got, "--") && last == args[len(args)-1] {
			return // an option without its value, which the parser refuses
		}
		if i := slices.Index(args, "--"); i < 0 || len(got) > len(args) {
			args = append(args, "--")
		}
		slices.Sort(args)
		slices.Sort(got)
		if !slices.Equal(got, args) {
			t.Fatalf("%q became %q", args, got)
		}
	})
}

func TestWrap(t *testing.T) {
	const want = "  one two\n  three\n  fourteen-letters\n"
	if got := wrap("one two three fourteen-letters", "  ", 10); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
