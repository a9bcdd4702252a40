package config

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// Public keys: that of the example, and one of another kind.
const (
	recipient  = "age1lvyvwawkr0mcnnnncaghunadrqkmuf9e6507x9y920xxpp866cnql7dp2z"
	privateOne = "AGE-SECRET-KEY-1N9JEPW6DWJ0ZQUDX63F5A03GX8QUW7PXDE39N8UYF82VZ9PC8UFS3M7XA9"
)

// load reads one file with the text given, on a machine with 16 GiB.
func load(t *testing.T, text string, last *Loaded) *Loaded {
	t.Helper()
	loader := Loader{Sources: []Source{tempFile(t, text)}, TotalRAM: 16 << 30}
	return loader.Load(last)
}

func TestGoodValues(t *testing.T) {
	for _, test := range []struct {
		line string
		want func(*Settings)
	}{
		{`ram-percent = 0.1`, func(s *Settings) { s.RAMPercent = 0.1 }},
		{`ram-percent = 50`, func(s *Settings) { s.RAMPercent = 50 }},
		{`ram-percent = 1e1`, func(s *Settings) { s.RAMPercent = 10 }},
		{`ram-size = "8MiB"`, func(s *Settings) { s.RAMSize = 8 * MiB }},
		{`ram-size = 8388608`, func(s *Settings) { s.RAMSize = 8 * MiB }},
		{`ram-size = "8GiB"`, func(s *Settings) { s.RAMSize = 8 * GiB }},
		{`ram-size = ""`, func(*Settings) {}},
		{`interfaces = []`, func(*Settings) {}},
		{`interfaces = ["eth*", "Ethernet, 2"]`, func(s *Settings) { s.Interfaces = []string{"eth*", "Ethernet, 2"} }},
		{`exclude = ["docker[0-9]"]`, func(s *Settings) { s.Exclude = []string{"docker[0-9]"} }},
		{`capture-filter = "not port 53 or 5353"`, func(s *Settings) { s.CaptureFilter = "not port 53 or 5353" }},
		{`capture-filter = ""`, func(*Settings) {}},
		{`retain = ["x4 port 53", "x0.1  host 192.0.2.7", "x0 net 198.51.100.0/24", "x1e3 tcp", "x0.001 udp"]`, func(s *Settings) {
			s.Retain = []string{"x4 port 53", "x0.1  host 192.0.2.7", "x0 net 198.51.100.0/24", "x1e3 tcp", "x0.001 udp"}
		}},
		{`promiscuous = true`, func(s *Settings) { s.Promiscuous = true }},
		{`bias = 0`, func(s *Settings) { s.Bias = 0 }},
		{`persist = false`, func(s *Settings) { s.Persist = false }},
		{`checkpoint-interval = 0`, func(s *Settings) { s.CheckpointInterval = 0 }},
		{`checkpoint-interval = "0"`, func(s *Settings) { s.CheckpointInterval = 0 }},
		{`checkpoint-interval = "1s"`, func(s *Settings) { s.CheckpointInterval = time.Second }},
		{`checkpoint-interval = "24h"`, func(s *Settings) { s.CheckpointInterval = 24 * time.Hour }},
		{`checkpoint-interval = "1h30m"`, func(s *Settings) { s.CheckpointInterval = 90 * time.Minute }},
		{`recovery-recipients = ["` + recipient + `"]`, func(s *Settings) { s.RecoveryRecipients = []string{recipient} }},
		{`bias = 8.0`, func(s *Settings) { s.Bias = 8 }},
		{`log-level = "Trace"`, func(s *Settings) { s.LogLevel = "trace" }},
		{`log-level = "warning"`, func(s *Settings) { s.LogLevel = "warn" }},
		{`"ram-percent" = 3 # quoted keys are the same`, func(s *Settings) { s.RAMPercent = 3 }},
	} {
		t.Run(test.line, func(t *testing.T) {
			want := Defaults()
			test.want(&want)
			loaded := load(t, test.line, nil)
			if len(loaded.Problems) > 0 {
				t.Fatalf("problems: %v", loaded.Problems)
			}
			if !reflect.DeepEqual(loaded.Settings, want) {
				t.Errorf("got  %+v\nwant %+v", loaded.Settings, want)
			}
		})
	}
}

// Every setting just outside both ends, empty and of the wrong types.
func TestBadValues(t *testing.T) {
	long := strings.Repeat("x", 5000)
	percent, size, list := "a number from 0.1 to 50", "a size from 8 MiB to 50 % of RAM", "a list of at most 256"
	rules := "a list of at most 16 rules"
	interval, recipients := "0 (off), or a duration from 1s to 24h", "a list of at most 8 public keys of age"
	for _, test := range []struct{ line, reason, allowed string }{
		{`ram-percent = 0.09999`, "out of range", percent},
		{`ram-percent = 50.001`, "out of range", percent},
		{`ram-percent = 0`, "out of range", percent},
		{`ram-percent = -1`, "out of range", percent},
		{`ram-percent = 9223372036854775807`, "out of range", percent},
		{`ram-percent = nan`, "out of range", percent},
		{`ram-percent = inf`, "out of range", percent},
		{`ram-percent = "5"`, "text has the wrong type", percent},
		{`ram-percent = ""`, "text has the wrong type", percent},
		{`ram-percent = true`, "wrong type", percent},
		{`ram-percent = [5]`, "a list has the wrong type", percent},
		{`ram-percent = 2026-01-02`, "wrong type", percent},
		{`ram-percent = {a = 1}`, "a table has the wrong type", percent},
		{`[ram-percent]`, "a table has the wrong type", percent},
		{`ram-percent.x = 1`, "a table has the wrong type", percent},
		{`ram-size = 8388607`, "out of range", size},
		{`ram-size = "8191KiB"`, "out of range", size},
		{`ram-size = "8193MiB"`, "out of range", "on this machine 8 GiB"},
		{`ram-size = 0`, "out of range", size},
		{`ram-size = -1`, "out of range", size},
		{`ram-size = "lots"`, "not a size", size},
		{`ram-size = "40M"`, "unknown unit", size},
		{`ram-size = 40.5`, "a number has the wrong type", size},
		{`ram-size = false`, "wrong type", size},
		{`interfaces = "eth0"`, `a list stands in brackets: ["eth0"]`, list},
		{`interfaces = [""]`, "an empty item", list},
		{`interfaces = [1]`, "a number has the wrong type", list},
		{`interfaces = ["eth["]`, `a "[" without "]"`, list},
		{`interfaces = true`, "wrong type", list},
		{fmt.Sprintf(`interfaces = [%s"x"]`, strings.Repeat(`"x",`, 256)), "257 items are too many", list},
		{fmt.Sprintf(`exclude = [%q]`, long), "too long", list},
		{`exclude = ["a\u0000b"]`, "control character", list},
		{`exclude = [["a"]]`, "a list has the wrong type", list},
		{fmt.Sprintf(`capture-filter = %q`, long), "5000 bytes are too long", "at most 4096 bytes"},
		{`capture-filter = 53`, "a number has the wrong type", "text"},
		{`capture-filter = ["port 53"]`, "a list has the wrong type", "text"},
		{`capture-filter = "port 53\nor 80"`, "control character", "one line"},
		{`retain = "x4 port 53"`, "a list stands in brackets", rules},
		{`retain = ["port 53"]`, `rule 1, "port 53": it does not begin with a factor`, rules},
		{`retain = ["4 port 53"]`, `rule 1, "4 port 53": it does not begin with a factor`, rules},
		{`retain = ["x4 tcp", "x4"]`, `rule 2, "x4": there is no filter behind the factor`, rules},
		{`retain = ["x-1 tcp"]`, "the factor x-1 is out of range", "from x0.001 to x1000"},
		{`retain = ["xnan tcp"]`, "out of range", rules},
		{`retain = ["x1e999 tcp"]`, "out of range", rules},
		{`retain = ["x0.0009 tcp"]`, "out of range", rules},
		{`retain = ["x1001 tcp"]`, "out of range", rules},
		{`retain = ["x2 tcp", "x3 udp", "x4  tcp"]`, `rule 3, "x4  tcp": it has the filter of rule 1`, rules},
		{`retain = ["x2 tcp\tport 53"]`, "control character", rules},
		{fmt.Sprintf(`retain = [%s"x1 tcp"]`, strings.Repeat(`"x2 udp",`, 16)), "17 items are too many", rules},
		{fmt.Sprintf(`retain = ["x2 %s"]`, long), "too long", rules},
		{`promiscuous = 1`, "a number has the wrong type", "true or false"},
		{`promiscuous = "true"`, "text has the wrong type", "true or false"},
		{`promiscuous = ""`, "text has the wrong type", "true or false"},
		{`persist = "no"`, "text has the wrong type", "true or false"},
		{`checkpoint-interval = 15`, "a number without a unit", interval},
		{`checkpoint-interval = "15"`, "not a duration", interval},
		{`checkpoint-interval = "soon"`, "not a duration", interval},
		{`checkpoint-interval = "999ms"`, "out of range", interval},
		{`checkpoint-interval = "-1m"`, "out of range", interval},
		{`checkpoint-interval = "24h1s"`, "out of range", interval},
		{`checkpoint-interval = true`, "wrong type", interval},
		{`recovery-recipients = "` + recipient + `"`, "a list stands in brackets", recipients},
		{`recovery-recipients = ["` + recipient[:61] + `y"]`, "was mistyped", recipients},
		{`recovery-recipients = ["ssh-ed25519 AAAA"]`, "a key of SSH", recipients},
		{`recovery-recipients = ["age1pq1qqqq"]`, "a post-quantum key", recipients},
		{`recovery-recipients = ["` + recipient + `", "` + recipient + `"]`, "it is key 1 already", recipients},
		{`recovery-recipients = ["` + privateOne + `"]`, "key 1 is a private key", recipients},
		{fmt.Sprintf(`recovery-recipients = [%s"x"]`, strings.Repeat(`"x",`, 8)), "9 items are too many", recipients},
		{`bias = -0.001`, "out of range", "a number from 0 to 8"},
		{`bias = 8.001`, "out of range", "a number from 0 to 8"},
		{`bias = "2"`, "wrong type", "a number from 0 to 8"},
		{`data-dir = ""`, "not an absolute path", "an absolute path"},
		{`data-dir = "var/lib"`, "not an absolute path", "an absolute path"},
		{`data-dir = 1`, "wrong type", "an absolute path"},
		{fmt.Sprintf(`data-dir = "/%s"`, long), "too long", "at most 1024 bytes"},
		{`endpoint-dir = "a/b"`, "", "an absolute path"},
		{`endpoint-dir = 1`, "wrong type", "an absolute path"},
		{fmt.Sprintf(`endpoint-dir = "/%s"`, long[:95]), "96 bytes are too long", "at most 95 bytes"},
		{`log-level = ""`, "unknown word", "one of trace, debug, info, warn, error"},
		{`log-level = "loud"`, "unknown word", "one of trace, debug, info, warn, error"},
		{`log-level = 3`, "a number has the wrong type", "one of trace"},
	} {
		t.Run(shorten(test.line), func(t *testing.T) {
			// promiscuous or bias stand for the rest of the file.
			rest := "bias = 5"
			if strings.HasPrefix(test.line, "bias") {
				rest = "promiscuous = true"
			}
			loaded := load(t, rest+"\n"+test.line+"\n", nil)
			if len(loaded.Problems) != 1 {
				t.Fatalf("problems: %v, want 1", loaded.Problems)
			}
			p := loaded.Problems[0]
			keepsOut := p.Key == "interfaces" || p.Key == "exclude" || p.Key == "capture-filter"
			instead := "the value is ignored"
			if keepsOut {
				instead = "nothing is recorded until it is right"
			}
			for _, want := range []string{p.Key, test.reason, test.allowed, "packetcache.toml:2: ", instead} {
				if !strings.Contains(p.Error(), want) {
					t.Errorf("message %q lacks %q", p, want)
				}
			}
			if strings.Contains(p.Error(), privateOne) {
				t.Errorf("the message shows a private key: %s", p)
			}
			if len(p.Error()) > 600 { // with the path of the file
				t.Errorf("message of %d bytes", len(p.Error()))
			}
			want := Defaults()
			if want.Bias = 5; strings.HasPrefix(test.line, "bias") {
				want.Bias, want.Promiscuous = 2, true
			}
			if !reflect.DeepEqual(loaded.Settings, want) {
				t.Errorf("got  %+v\nwant %+v", loaded.Settings, want)
			}
			if p.Unsafe != keepsOut || loaded.Withheld() != keepsOut || (len(loaded.Unsafe()) == 1) != keepsOut {
				t.Errorf("unsafe: %v, want %v", p.Unsafe, keepsOut)
			}
		})
	}
}

func TestUnknownKeys(t *testing.T) {
	for line, want := range map[string]string{
		`ram_percent = 5`:         `"ram_percent" is not a setting; it is called ram-percent`,
		`RamPercent = 5`:          `"RamPercent" is not a setting; it is called ram-percent`,
		`interface = ["eth0"]`:    `"interface" is not a setting; it is called interfaces`,
		`colour = "red"`:          `"colour" is not a setting`,
		"[cache]\nram-percent=9":  `"cache" is not a setting`,
		"[[cache]]\nbias=9":       `"cache" is not a setting`,
		`ram.percent = 5`:         `"ram" is not a setting`,
		`"" = 5`:                  `"" is not a setting`,
		`"` + "\\u0007" + `" = 5`: `"\a" is not a setting`,
	} {
		loaded := load(t, line, nil)
		if len(loaded.Problems) != 1 || !strings.Contains(loaded.Problems[0].Error(), want) {
			t.Errorf("%s: problems %v, want %s", line, loaded.Problems, want)
		}
		if !reflect.DeepEqual(loaded.Settings, Defaults()) {
			t.Errorf("%s: settings changed: %+v", line, loaded.Settings)
		}
	}
}

// The forms of the command line and the registry.
func TestWords(t *testing.T) {
	for _, test := range []struct {
		key   string
		words Words
		want  any // or an error's text
	}{
		{"ram-percent", Words{"5"}, 5.0},
		{"ram-percent", Words{"5%"}, 5.0},
		{"ram-percent", Words{"1e400"}, fmt.Errorf("out of range")},
		{"ram-percent", Words{"five"}, fmt.Errorf("not a number")},
		{"ram-percent", Words{""}, fmt.Errorf("not a number")},
		{"ram-percent", Words{}, fmt.Errorf("takes one value, got 0")},
		{"ram-percent", Words{"1", "2"}, fmt.Errorf("takes one value, got 2")},
		{"ram-size", Words{"40MiB"}, 40 * MiB},
		{"ram-size", Words{"41943040"}, 40 * MiB},
		{"ram-size", Words{""}, Size(0)},
		{"promiscuous", Words{"1"}, true},
		{"promiscuous", Words{"No"}, false},
		{"promiscuous", Words{""}, fmt.Errorf("neither true nor false")},
		{"interfaces", Words{"eth0", "Ethernet, 2"}, []string{"eth0", "Ethernet, 2"}},
		{"interfaces", Words{}, []string(nil)},
		{"checkpoint-interval", Words{"90s"}, 90 * time.Second},
		{"checkpoint-interval", Words{"0"}, time.Duration(0)},
		{"checkpoint-interval", Words{"0s"}, time.Duration(0)},
		{"log-level", Words{"DEBUG"}, "debug"},
		{"capture-filter", Words{"tcp"}, "tcp"},
	} {
		f, _ := FieldByKey(test.key)
		got, err := f.value(test.words)
		if wantErr, ok := test.want.(error); ok {
			if err == nil || !strings.Contains(err.Error(), wantErr.Error()) {
				t.Errorf("%s %q: %v, %v; want error %v", test.key, test.words, got, err, wantErr)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s %q: %v, %v; want %v", test.key, test.words, got, err, test.want)
		}
	}
}

// What FormatInterval writes is read back as the same.
func TestIntervalFormat(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0", time.Second: "1s", time.Minute: "1m", 90 * time.Second: "1m30s", time.Hour: "1h",
		time.Hour + time.Second: "1h0m1s", 90 * time.Minute: "1h30m", 24 * time.Hour: "24h", 10 * time.Minute: "10m",
	} {
		got := FormatInterval(d)
		if got != want {
			t.Errorf("%v is written %q, want %q", d, got, want)
		}
		if back, err := time.ParseDuration(got); err != nil || back != d {
			t.Errorf("%q is read as %v, %v", got, back, err)
		}
	}
}
