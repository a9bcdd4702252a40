package config

import (
	"encoding/json"
	"errors"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// A fakeSource stands for a place that the test's machine does not have.
type fakeSource struct {
	origin  Origin
	entries []Entry
	err     error
}

func (f fakeSource) Origin() Origin         { return f.origin }
func (f fakeSource) Location() string       { return "fake " + f.origin.String() }
func (f fakeSource) Read() ([]Entry, error) { return f.entries, f.err }

func entry(key string, value any) Entry { return Entry{Key: key, Value: value, Where: "fake"} }

func TestStrongerOriginWins(t *testing.T) {
	var sources []Source
	for _, o := range []Origin{Policy, File, CommandLine, Registry} { // in no order
		sources = append(sources, fakeSource{origin: o, entries: []Entry{entry("bias", Words{string('1' + rune(o))})}})
	}
	for _, want := range []Origin{Policy, CommandLine, Registry, File, Default} {
		loaded := (&Loader{Sources: sources}).Load(nil)
		if got := loaded.Origin("bias"); got != want {
			t.Errorf("bias comes from %v, want %v", got, want)
		}
		if wantBias := float64(want + 1); want != Default && loaded.Bias != wantBias {
			t.Errorf("bias from %v is %v, want %v", want, loaded.Bias, wantBias)
		}
		sources = slices.DeleteFunc(sources, func(s Source) bool { return s.Origin() == want })
	}
}

func TestSizeAgainstPercent(t *testing.T) {
	size, percent := entry("ram-size", Words{"40MiB"}), entry("ram-percent", Words{"5"})
	for _, test := range []struct {
		name         string
		sources      []Source
		wantSize     Size
		wantPercent  float64
		wantProblems int
	}{
		{"size alone", []Source{fakeSource{File, []Entry{size}, nil}}, 40 * MiB, 1, 0},
		{"both in one place", []Source{fakeSource{File, []Entry{size, percent}, nil}}, 40 * MiB, 5, 1},
		{"percent stronger", []Source{fakeSource{File, []Entry{size}, nil}, fakeSource{CommandLine, []Entry{percent}, nil}}, 0, 5, 0},
		{"size stronger", []Source{fakeSource{File, []Entry{percent}, nil}, fakeSource{CommandLine, []Entry{size}, nil}}, 40 * MiB, 5, 0},
		{"size emptied", []Source{fakeSource{File, []Entry{size}, nil}, fakeSource{Policy, []Entry{entry("ram-size", Words{""})}, nil}}, 0, 1, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			loaded := (&Loader{Sources: test.sources}).Load(nil)
			if loaded.RAMSize != test.wantSize || loaded.RAMPercent != test.wantPercent || len(loaded.Problems) != test.wantProblems {
				t.Errorf("size %v, percent %v, problems %v; want %v, %v, %d problems",
					loaded.RAMSize, loaded.RAMPercent, loaded.Problems, test.wantSize, test.wantPercent, test.wantProblems)
			}
		})
	}
}

func TestLastGoodValueStays(t *testing.T) {
	first := load(t, "bias = 3\nexclude = [\"docker*\"]\n", nil)
	second := load(t, "bias = 30\nexclude = [\"docker[\"]\npromiscuous = true\n", first)
	if second.Bias != 3 || !slices.Equal(second.Exclude, []string{"docker*"}) || !second.Promiscuous {
		t.Errorf("after bad values: %+v", second.Settings)
	}
	if len(second.Problems) != 2 || len(second.Unsafe()) != 0 ||
		!strings.Contains(second.Problems[0].Error(), `the value before, "3", stays in force`) {
		t.Errorf("problems: %v", second.Problems)
	}
	// And the one after that remembers it still.
	if third := load(t, "bias = 40\n", second); third.Bias != 3 || third.Exclude != nil || third.Promiscuous {
		t.Errorf("after more bad values: %+v", third.Settings)
	}
	if third := load(t, "", second); third.Bias != 2 || third.Origin("bias") != Default {
		t.Errorf("a setting that is gone: bias %v from %v, want the default", third.Bias, third.Origin("bias"))
	}
}

func TestLastGoodValueOfItsOwnSource(t *testing.T) {
	file := fakeSource{origin: File, entries: []Entry{entry("bias", Words{"3"})}}
	policy := fakeSource{origin: Policy, entries: []Entry{entry("bias", Words{"4"})}}
	loader := &Loader{Sources: []Source{file, policy}}
	first := loader.Load(nil)

	file.entries = []Entry{entry("bias", Words{"99"})}
	loader.Sources = []Source{file, policy}
	second := loader.Load(first)
	if second.Bias != 4 || len(second.Problems) != 1 {
		t.Errorf("bias %v, problems %v; want the policy's 4 and one problem", second.Bias, second.Problems)
	}
	// The policy goes: the file's last good value is in force, not the policy's.
	loader.Sources = []Source{file}
	if third := loader.Load(second); third.Bias != 3 || third.Origin("bias") != File {
		t.Errorf("bias %v from %v, want 3 from the file", third.Bias, third.Origin("bias"))
	}
}

func TestUnreadableSource(t *testing.T) {
	first := load(t, "bias = 3\n", nil)
	second := load(t, "bias = 4\noops", first)
	if second.Bias != 3 || len(second.Problems) != 1 || len(second.Unsafe()) != 0 {
		t.Errorf("reload: bias %v, problems %v", second.Bias, second.Problems)
	}
	if msg := second.Problems[0].Error(); !strings.Contains(msg, "line 2, column") || !strings.Contains(msg, "stay in force") {
		t.Errorf("message %q", msg)
	}
	if fresh := load(t, "bias = 4\noops", nil); fresh.Bias != 2 || len(fresh.Unsafe()) != 1 {
		t.Errorf("start: bias %v, unsafe %v", fresh.Bias, fresh.Unsafe())
	}
}

// A start with values, or a whole source, that may keep something out and are wrong
// records nothing until all of them are right, whatever changes meanwhile.
func TestNothingIsRecordedUntilRight(t *testing.T) {
	for _, wrong := range []string{"interfaces = [\"[\"]\n", "exclude = [\"docker[\"]\n", "oops"} {
		last := load(t, "bias = 3\n"+wrong, nil)
		for _, text := range []string{"bias = 4\n" + wrong, "oops", "exclude = [\"docker*\"]\ninterfaces = 3\n", "interfaces = [\"eth*\"]\ncapture-filter = 7\n"} {
			last = load(t, text, last)
			if !last.Withheld() || len(last.Unsafe()) != 1 || !strings.Contains(last.Problems[0].Error(), "nothing is recorded until it is right") {
				t.Errorf("%q, then %q: withheld %v, problems %v", wrong, text, last.Withheld(), last.Problems)
			}
		}
		if last = load(t, "exclude = [\"docker*\"]\n", last); last.Withheld() || !slices.Equal(last.Exclude, []string{"docker*"}) || len(last.Problems) != 0 {
			t.Errorf("%q, then corrected: withheld %v, exclude is %q, problems %v", wrong, last.Withheld(), last.Exclude, last.Problems)
		}
		// From now on what was in force stays.
		last = load(t, "exclude = [\"docker*\"]\n"+"interfaces = [\"[\"]\n", last)
		if !slices.Equal(last.Exclude, []string{"docker*"}) || !strings.Contains(last.Problems[0].Error(), "what is in force stays") {
			t.Errorf("wrong again: exclude is %q, problems %v", last.Exclude, last.Problems)
		}
	}
}

func TestCheckFilter(t *testing.T) {
	loader := &Loader{
		Sources: []Source{fakeSource{origin: File, entries: []Entry{entry("capture-filter", "prot 53")}}},
		CheckFilter: func(expression string) error {
			return errors.New(`unknown word "prot" at 1`)
		},
	}
	loaded := loader.Load(nil)
	if loaded.CaptureFilter != "" || len(loaded.Unsafe()) != 1 || !strings.Contains(loaded.Problems[0].Error(), `unknown word "prot" at 1`) {
		t.Errorf("filter %q, problems %v", loaded.CaptureFilter, loaded.Problems)
	}
}

// What is wrong with the filter of a rule names the rule; the rules before stay
// in force, and without any the service starts.
func TestCheckRules(t *testing.T) {
	var text string
	loader := &Loader{CheckFilter: func(expression string) error {
		if strings.Contains(expression, "prot") {
			return errors.New(`position 1: unknown word "prot"`)
		}
		return nil
	}}
	read := func(last *Loaded, items ...any) *Loaded {
		loader.Sources = []Source{fakeSource{origin: File, entries: []Entry{{Key: "retain", Value: items}}}}
		loaded := loader.Load(last)
		text = ""
		for _, p := range loaded.Problems {
			text += p.Error()
		}
		return loaded
	}
	loaded := read(nil, "x4 port 53", "x2 prot 80")
	if loaded.Retain != nil || len(loaded.Unsafe()) > 0 || !strings.Contains(text, `rule 2, filter "prot 80": position 1: unknown word "prot"`) {
		t.Errorf("rules %q, %s", loaded.Retain, text)
	}
	loaded = read(read(nil, "x4 port 53"), "x0 prot 80")
	if !slices.Equal(loaded.Retain, []string{"x4 port 53"}) || !strings.Contains(text, `rule 1, filter "prot 80"`) || !strings.Contains(text, "stays in force") {
		t.Errorf("rules %q, %s", loaded.Retain, text)
	}
}

func TestArgs(t *testing.T) {
	var args Args
	args.Set("ram-percent", "5")
	args.Set("interface", "eth0", "Ethernet, 2")
	args.Set("bias", "3") // no flag, but a setting
	args.Set("log-level", "deafening")
	args.Set("colour", "red")
	loaded := (&Loader{Sources: []Source{&args}}).Load(nil)
	if loaded.RAMPercent != 5 || loaded.Bias != 3 || !slices.Equal(loaded.Interfaces, []string{"eth0", "Ethernet, 2"}) {
		t.Errorf("settings: %+v", loaded.Settings)
	}
	problems := loaded.ProblemsFrom(CommandLine)
	if len(problems) != 2 || len(loaded.ProblemsFrom(File)) != 0 ||
		problems[0].Where != "--log-level" || problems[1].Where != "--colour" {
		t.Errorf("problems: %v", problems)
	}
}

func TestValues(t *testing.T) {
	loaded := load(t, "ram-size = \"40MiB\"\n", nil)
	var keys []string
	for _, v := range loaded.Values() {
		keys = append(keys, v.Field.Key)
		switch v.Field.Key {
		case "ram-size":
			if v.Origin != File || !slices.Equal(v.Words, Words{"40MiB"}) || !strings.HasSuffix(v.Where, "packetcache.toml:1") {
				t.Errorf("ram-size: %+v", v)
			}
		default:
			if v.Origin != Default || v.Where != "" {
				t.Errorf("%s: %v at %q, want a default", v.Field.Key, v.Origin, v.Where)
			}
		}
	}
	if !slices.Contains(keys, "bias") || len(keys) < len(Fields())-1 {
		t.Errorf("keys: %v", keys)
	}
	if text, err := json.Marshal(map[string]Origin{"o": CommandLine}); err != nil || string(text) != `{"o":"command line"}` {
		t.Errorf("origin in JSON: %s, %v", text, err)
	}
}

func TestDiff(t *testing.T) {
	a, b := Defaults(), Defaults()
	if changes := Diff(&a, &b); changes != nil {
		t.Errorf("equal settings differ: %v", changes)
	}
	b.RAMSize, b.Interfaces = 40*MiB, []string{"eth0"}
	want := []Change{
		{"ram-size", Words{""}, Words{"40MiB"}},
		{"interfaces", nil, Words{"eth0"}},
	}
	if changes := Diff(&a, &b); !reflect.DeepEqual(changes, want) {
		t.Errorf("got %q, want %q", changes, want)
	}
}

func TestBudget(t *testing.T) {
	const ram = 16 << 30
	for _, test := range []struct {
		name  string
		s     Settings
		total uint64
		want  uint64
	}{
		{"default", Defaults(), ram, 171798528},
		{"small machine", Defaults(), 256 << 20, 8 << 20},
		{"size", Settings{RAMPercent: 1, RAMSize: 40 * MiB}, ram, 40 << 20},
		{"size in odd bytes", Settings{RAMSize: 40*MiB + 1}, ram, 40 << 20},
		{"size beyond half", Settings{RAMSize: 40 * GiB}, ram, ram / 2},
		{"half", Settings{RAMPercent: 50}, ram, ram / 2},
		{"tiny machine", Settings{RAMPercent: 50}, 1 << 20, 8 << 20},
		{"nothing set", Settings{}, ram, 8 << 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Budget(&test.s, test.total); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func TestCheckGroup(t *testing.T) {
	loader := &Loader{
		Sources:    []Source{fakeSource{origin: File, entries: []Entry{entry("socket-group", "ghosts")}}},
		CheckGroup: func(group string) error { return errors.New("nobody knows " + group) },
	}
	loaded := loader.Load(nil)
	if runtime.GOOS == "windows" {
		return // it has no such setting
	}
	if loaded.SocketGroup != "" || len(loaded.Unsafe()) != 0 || !strings.Contains(loaded.Problems[0].Error(), "nobody knows ghosts; allowed is the name") {
		t.Errorf("group %q, problems %v", loaded.SocketGroup, loaded.Problems)
	}
}
