package config

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// A Loader reads the settings from their sources, again and again.
type Loader struct {
	// Sources are asked in the order of their origins, whatever their order
	// here, at most one for each origin.
	Sources []Source
	// TotalRAM is the machine's memory in bytes, of which ram-size may be half;
	// 0 leaves the upper end open.
	TotalRAM uint64
	// CheckFilter says whether an expression can be used as a filter, that of
	// captures or of a rule; nil takes all.
	CheckFilter func(expression string) error
	// CheckGroup says whether there is a group of that name or number; nil takes
	// all.
	CheckGroup func(group string) error
}

// Loaded are settings in force, and how they came to be. It is not changed
// after Load has returned it.
type Loaded struct {
	Settings
	// Problems are the values that were found and are not in force.
	Problems []Problem

	layers   []layer          // the good values of each source, weakest first
	from     map[string]value // what is in force, by key; without defaults
	withheld bool
}

// A layer holds the good values of one source by key.
type layer struct {
	origin Origin
	values map[string]value
}

type value struct {
	origin Origin
	where  string
	v      any // of the setting's Go type
}

// Load reads all sources. A value that is wrong is reported in Problems, and
// what the same source held for that setting in last stays in force; without
// such a value, or with last nil, the next weaker source or the default
// decides. If the value was to keep something from being recorded, what was in
// force stays, and with last nil all is Withheld until it is right. A
// source that cannot be read at all keeps all it held in last.
func (l *Loader) Load(last *Loaded) *Loaded {
	loaded := &Loaded{Settings: Defaults(), from: map[string]value{}, withheld: last == nil || last.withheld}
	sources := slices.SortedStableFunc(slices.Values(l.Sources), func(a, b Source) int {
		return cmp.Compare(a.Origin(), b.Origin())
	})
	for _, source := range sources {
		var before map[string]value
		if last != nil {
			before = last.layer(source.Origin())
		}
		lay := l.readLayer(source, before, loaded)
		loaded.layers = append(loaded.layers, lay)
		for key, v := range lay.values {
			loaded.from[key] = v
		}
	}
	loaded.settleSize()
	loaded.holdBack(last)
	target := reflect.ValueOf(&loaded.Settings).Elem()
	for _, f := range Fields() {
		if v, ok := loaded.from[f.Key]; ok {
			target.Field(f.index).Set(reflect.ValueOf(v.v))
		}
	}
	return loaded
}

// nothingRecorded is said of a wrong value in whose place nothing may stand.
const nothingRecorded = "nothing is recorded until it is right, as that might be what it is to keep out"

// holdBack leaves in force what was, where a wrong value would have kept
// something out and no earlier one of its source can stand in. Where nothing was
// in force all is withheld.
func (l *Loaded) holdBack(last *Loaded) {
	unsafe := l.Unsafe()
	if l.withheld = l.withheld && len(unsafe) > 0; l.withheld {
		return
	}
	for i := range l.Problems {
		p := &l.Problems[i]
		if !p.Unsafe || p.Key == "" {
			continue
		}
		p.Instead = "what is in force stays"
		if v, ok := last.from[p.Key]; ok {
			l.from[p.Key] = v
		} else {
			delete(l.from, p.Key)
		}
	}
}

// Defaults are the settings of a machine on which nothing is configured.
func Defaults() Settings {
	var s Settings
	target := reflect.ValueOf(&s).Elem()
	for _, f := range Fields() {
		text := platformDefault(f)
		if text == "" {
			continue // the zero value is the default
		}
		// A default that is not allowed would be a mistake in the tags, which
		// TestFields refuses.
		if v, err := f.value(Words{text}); err == nil {
			target.Field(f.index).Set(reflect.ValueOf(v))
		}
	}
	return s
}

func (l *Loader) readLayer(source Source, before map[string]value, loaded *Loaded) layer {
	lay := layer{origin: source.Origin(), values: map[string]value{}}
	entries, err := source.Read()
	if err != nil {
		p := Problem{Origin: lay.origin, Where: source.Location(), Reason: err.Error(), Instead: "the values read from it before stay in force"}
		if p.Unsafe = loaded.withheld || before == nil; p.Unsafe {
			p.Instead = nothingRecorded
		}
		lay.values = before
		loaded.Problems = append(loaded.Problems, p)
		return lay
	}
	for _, entry := range entries {
		f, ok := FieldByKey(entry.Key)
		if !ok {
			loaded.Problems = append(loaded.Problems, unknown(entry, lay.origin))
			continue
		}
		v, err := l.check(f, entry.Value)
		if err == nil {
			lay.values[f.Key] = value{lay.origin, entry.Where, v}
			continue
		}
		p := Problem{
			Key:    f.Key,
			Origin: lay.origin,
			Where:  entry.Where,
			Reason: l.wrong(f, entry.Value, err).Error(),
		}
		if old, ok := before[f.Key]; ok {
			lay.values[f.Key] = old
			p.Instead = "the value before, " + showRaw(f.words(old.v)) + ", stays in force"
		} else {
			p.Instead = "the value is ignored"
			if p.Unsafe = f.KeepsOut; p.Unsafe {
				p.Instead = nothingRecorded
			}
		}
		loaded.Problems = append(loaded.Problems, p)
	}
	return lay
}

// A ValueError says what is wrong with the value of a setting.
type ValueError struct {
	// Key is the setting.
	Key string
	// Shown is the value, shortened; empty for a list, of which Err names the item.
	Shown string
	// Err says what is wrong.
	Err error
	// Allowed says what would be right.
	Allowed string
}

// Error is the cause and what is allowed.
func (e *ValueError) Error() string { return e.Cause() + "; allowed is " + e.Allowed }

// Cause names the setting and says what is wrong with its value.
func (e *ValueError) Cause() string {
	if e.Shown == "" {
		return fmt.Sprintf("%s: %v", e.Key, e.Err)
	}
	return fmt.Sprintf("%s = %s: %v", e.Key, e.Shown, e.Err)
}

// Unwrap is what is wrong.
func (e *ValueError) Unwrap() error { return e.Err }

func (l *Loader) wrong(f Field, raw any, err error) *ValueError {
	wrong := &ValueError{Key: f.Key, Err: err, Allowed: l.allowed(f)}
	if f.Kind != List {
		wrong.Shown = showRaw(raw)
	}
	return wrong
}

// Check says what is wrong with the values that a setting is to get, in the
// form of the command line, and which are allowed. The error is a *ValueError,
// unless there is no such setting.
func (l *Loader) Check(key string, values ...string) error {
	f, ok := FieldByKey(key)
	if !ok {
		return errors.New(unknown(Entry{Key: key}, Default).Reason)
	}
	if _, err := l.check(f, Words(values)); err != nil {
		return l.wrong(f, Words(values), err)
	}
	return nil
}

// check is the whole check of one value: that of its tags and those that
// depend on the machine.
func (l *Loader) check(f Field, raw any) (any, error) {
	v, err := f.value(raw)
	if err != nil {
		return nil, err
	}
	switch {
	case f.Kind == Bytes && l.TotalRAM > 0 && uint64(v.(Size)) > Largest(l.TotalRAM):
		return nil, errors.New("out of range")
	case f.Key == "capture-filter" && l.CheckFilter != nil && v != "":
		if err := l.CheckFilter(v.(string)); err != nil {
			return nil, err
		}
	case f.Item == "group" && l.CheckGroup != nil && v != "":
		if err := l.CheckGroup(v.(string)); err != nil {
			return nil, err
		}
	case f.Item == "rule" && l.CheckFilter != nil:
		if err := checkRetainFilters(v.([]string), l.CheckFilter); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (l *Loader) allowed(f Field) string {
	if f.Kind == Bytes && l.TotalRAM > 0 {
		return fmt.Sprintf("%s (on this machine %s)", f.Allowed(), FormatBytes(Largest(l.TotalRAM)))
	}
	if f.Key == "capture-filter" {
		return f.Allowed() + " in the language of pcap-filter(7)"
	}
	return f.Allowed()
}

func unknown(entry Entry, origin Origin) Problem {
	p := Problem{Key: entry.Key, Origin: origin, Where: entry.Where}
	p.Reason = fmt.Sprintf("%q is not a setting", shorten(entry.Key))
	normal := strings.ToLower(strings.ReplaceAll(entry.Key, "_", "-"))
	for _, f := range Fields() {
		switch {
		case f.Key == entry.Key: // and not known here
			p.Reason = fmt.Sprintf("%s is a setting on %s only", f.Key, f.OS)
		case f.Key == normal || f.Flag == normal || strings.ReplaceAll(f.Key, "-", "") == normal:
			p.Reason += fmt.Sprintf("; it is called %s", f.Key)
		}
	}
	return p
}

// settleSize decides between the two ways to say how much memory: the one
// from the stronger source counts, in the same source the absolute size.
func (l *Loaded) settleSize() {
	size, percent := l.from["ram-size"], l.from["ram-percent"]
	if size.v == nil || size.v == Size(0) || percent.v == nil {
		return
	}
	if percent.origin > size.origin {
		delete(l.from, "ram-size")
		return
	}
	if percent.origin == size.origin {
		l.Problems = append(l.Problems, Problem{
			Key:    "ram-percent",
			Origin: percent.origin,
			Where:  percent.where,
			Reason: "ram-percent has no effect, because ram-size is set there too",
		})
	}
}

func (l *Loaded) layer(o Origin) map[string]value {
	for _, lay := range l.layers {
		if lay.origin == o {
			return lay.values
		}
	}
	return nil
}

// Origin says where the value in force of that setting comes from.
func (l *Loaded) Origin(key string) Origin { return l.from[key].origin }

// ProblemsFrom are the problems with values of that origin. Those of the
// command line are best reported as a usage error.
func (l *Loaded) ProblemsFrom(o Origin) []Problem {
	return slices.DeleteFunc(slices.Clone(l.Problems), func(p Problem) bool { return p.Origin != o })
}

// Withheld reports whether nothing is to be recorded, whatever interfaces and exclude
// say: the first Load came upon values that were to keep something out, or a source that
// may have some, and they are still wrong.
func (l *Loaded) Withheld() bool { return l.withheld }

// Unread reports whether there is nothing of some source, since all of it could not be
// read and never had been.
func (l *Loaded) Unread() bool {
	return slices.ContainsFunc(l.Problems, func(p Problem) bool { return p.Unsafe && p.Key == "" })
}

// Unsafe are the problems with what was meant to keep something from being
// recorded. At the start nothing is recorded because of them; later on, what was
// in force stays.
func (l *Loaded) Unsafe() []Problem {
	return slices.DeleteFunc(slices.Clone(l.Problems), func(p Problem) bool { return !p.Unsafe })
}

// A Value is one setting with its value in force.
type Value struct {
	Field Field
	// Words are the value in the form of the command line; Words{""} or no
	// words if it is not set.
	Words Words
	// Origin and Where say where the value comes from; Where is empty for a
	// default.
	Origin Origin
	Where  string
}

// Values are the settings that this operating system has, in their order.
func (l *Loaded) Values() []Value {
	source := reflect.ValueOf(l.Settings)
	var values []Value
	for _, f := range Fields() {
		if !f.known() {
			continue
		}
		from := l.from[f.Key]
		values = append(values, Value{
			Field:  f,
			Words:  f.words(source.Field(f.index).Interface()),
			Origin: from.origin,
			Where:  from.where,
		})
	}
	return values
}

// A Change is one setting that differs between two loads.
type Change struct {
	Key      string
	Old, New Words
}

// Diff lists the settings whose values differ, in their order; where a value
// comes from makes no difference.
func Diff(before, after *Settings) []Change {
	a, b := reflect.ValueOf(*before), reflect.ValueOf(*after)
	var changes []Change
	for _, f := range Fields() {
		x, y := a.Field(f.index).Interface(), b.Field(f.index).Interface()
		if !reflect.DeepEqual(x, y) {
			changes = append(changes, Change{f.Key, f.words(x), f.words(y)})
		}
	}
	return changes
}
