package config

import (
	"fmt"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// A Kind says what values a setting takes.
type Kind uint8

// The kinds of settings.
const (
	Number   Kind = iota + 1 // a number with or without a decimal point
	Bytes                    // a Size
	Text                     // one line of text
	Choice                   // one word of a fixed set
	Switch                   // true or false
	List                     // any number of texts
	Interval                 // a time.Duration
)

// A Field describes one setting: all that is known of it without its value.
type Field struct {
	// Key names the setting in the file and in messages: "ram-percent".
	Key string
	// Registry is the name of the value in the Windows registry: "RamPercent".
	Registry string
	// Flag is the option of packetcache that sets it, without dashes; empty
	// if there is none.
	Flag string
	// Kind says which values are allowed, together with the next fields.
	Kind Kind
	// Min and Max bound a Number, inclusive.
	Min, Max float64
	// MinSize is the least that Bytes may be; the most depends on the machine.
	MinSize Size
	// MinInterval and MaxInterval bound an Interval, inclusive; 0, which is off,
	// is allowed besides.
	MinInterval, MaxInterval time.Duration
	// MaxLen is the most bytes of a Text, or the most items of a List.
	MaxLen int
	// Enum are the words of a Choice, least first.
	Enum []string
	// Item says what a Text or the items of a List are: "glob", "rule",
	// "recipient", "directory", "endpoint", "group", or empty for any text.
	Item string
	// Unit is what a Number counts; may be empty.
	Unit string
	// KeepsOut is true if the setting keeps something from being recorded, so
	// that going on with its default instead of a bad value would record it.
	KeepsOut bool
	// Restart is true if a change applies only when the service is started
	// anew; others apply at once.
	Restart bool
	// OS is the only operating system that knows the setting, as in
	// runtime.GOOS, or empty.
	OS string
	// Default is the default on Linux, in the form of the command line.
	Default string
	// DefaultWindows is the default on Windows; %ProgramData% is expanded.
	DefaultWindows string
	// Example is a sensible value other than the default, in the same form;
	// the items of a List are separated by ", ".
	Example string
	// Doc explains the setting in whole sentences.
	Doc string

	index int // of the field in Settings
}

// Fields describes all settings in the order in which they are documented,
// those of other operating systems included.
func Fields() []Field {
	t := reflect.TypeFor[Settings]()
	fields := make([]Field, t.NumField())
	for i := range fields {
		fields[i] = newField(t.Field(i), i)
	}
	return fields
}

// FieldByKey finds the setting with that name among those that this operating
// system knows.
func FieldByKey(key string) (Field, bool) {
	for _, f := range Fields() {
		if f.Key == key && f.known() {
			return f, true
		}
	}
	return Field{}, false
}

func newField(sf reflect.StructField, index int) Field {
	tag := sf.Tag
	f := Field{
		Key:      tag.Get("key"),
		Registry: pascalCase(tag.Get("key")),
		Flag:     tag.Get("flag"),
		Item:     tag.Get("item"),
		Unit:     tag.Get("unit"),
		KeepsOut: tag.Get("keeps-out") == "true",
		Restart:  tag.Get("restart") == "true",
		OS:       tag.Get("os"),
		Default:  tag.Get("default"),
		Example:  tag.Get("example"),
		Doc:      tag.Get("doc"),
		index:    index,
	}
	var hasWindows bool
	if f.DefaultWindows, hasWindows = tag.Lookup("default-windows"); !hasWindows {
		f.DefaultWindows = f.Default
	}
	// A tag that does not parse shows as a zero bound, which TestFields refuses.
	switch {
	case sf.Type == reflect.TypeFor[Size]():
		f.Kind = Bytes
		f.MinSize, _ = ParseSize(tag.Get("min"))
	case sf.Type == reflect.TypeFor[time.Duration]():
		f.Kind = Interval
		f.MinInterval, _ = time.ParseDuration(tag.Get("min"))
		f.MaxInterval, _ = time.ParseDuration(tag.Get("max"))
	case sf.Type.Kind() == reflect.Float64:
		f.Kind = Number
		f.Min, _ = strconv.ParseFloat(tag.Get("min"), 64)
		f.Max, _ = strconv.ParseFloat(tag.Get("max"), 64)
	case sf.Type.Kind() == reflect.Bool:
		f.Kind = Switch
	case sf.Type.Kind() == reflect.Slice:
		f.Kind = List
		f.MaxLen, _ = strconv.Atoi(tag.Get("max"))
	case tag.Get("enum") != "":
		f.Kind = Choice
		f.Enum = strings.Split(tag.Get("enum"), ",")
	default:
		f.Kind = Text
		f.MaxLen, _ = strconv.Atoi(tag.Get("max"))
	}
	return f
}

// pascalCase turns "ram-percent" into "RamPercent".
func pascalCase(key string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(key, "-") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// known reports whether this operating system has the setting.
func (f Field) known() bool { return f.OS == "" || f.OS == runtime.GOOS }

// Allowed says in words which values the setting takes: "a number from 0.1 to
// 50 (percent of RAM)".
func (f Field) Allowed() string {
	switch f.Kind {
	case Number:
		s := "a number from " + formatNumber(f.Min) + " to " + formatNumber(f.Max)
		if f.Unit != "" {
			s += " (" + f.Unit + ")"
		}
		return s
	case Bytes:
		return "a size from " + FormatBytes(uint64(f.MinSize)) + " to 50 % of RAM, such as " + f.Example
	case Choice:
		return "one of " + strings.Join(f.Enum, ", ")
	case Switch:
		return "true or false"
	case Interval:
		return fmt.Sprintf("0 (off), or a duration from %s to %s, such as %s", FormatInterval(f.MinInterval), FormatInterval(f.MaxInterval), f.Example)
	case List:
		if f.Item == "recipient" {
			return fmt.Sprintf("a list of at most %d public keys of age, which begin with age1", f.MaxLen)
		}
		if f.Item == "rule" {
			return fmt.Sprintf("a list of at most %d rules, each a factor (x0, or from x%v to x%v), a space and a filter of pcap-filter(7), together at most %d bytes",
				f.MaxLen, minFactor, maxFactor, maxItemLen)
		}
		return "a list of at most " + strconv.Itoa(f.MaxLen) + " names or patterns, each of at most " + strconv.Itoa(maxItemLen) + " bytes"
	}
	switch f.Item {
	case "directory":
		return "an absolute path of at most " + strconv.Itoa(f.MaxLen) + " bytes"
	case "group":
		return "the name or number of a group, of at most " + strconv.Itoa(f.MaxLen) + " bytes"
	case "endpoint":
		return "an absolute path (on Windows: letters, digits, '-', '_' and '.') of at most " + strconv.Itoa(f.MaxLen) + " bytes"
	}
	return "one line of text of at most " + strconv.Itoa(f.MaxLen) + " bytes"
}

func formatNumber(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
