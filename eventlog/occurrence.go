package eventlog

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sirupsen/logrus"
)

// Field is the field of a log entry that holds the Occurrence.
const Field = "event"

// maxValue is the longest value of an insert, in bytes: six of them fit into
// an event of the Event Log, which takes 31,839 characters a string.
const maxValue = 2 << 10

// MaxLines is the longest value of kind Lines, in bytes. It fits into an event
// together with short ones.
const MaxLines = 30_000

// An Occurrence is an event that happened.
type Occurrence struct {
	event  Event
	values []string // of the inserts
}

// Recorded is an occurrence as a log has it. It reports false for an ID that is
// not in this catalogue: the log may be of another version.
func Recorded(id uint16, values []string) (Occurrence, bool) {
	for i := range catalogue {
		if catalogue[i].ID == id {
			return Occurrence{catalogue[i], values}, true
		}
	}
	return Occurrence{}, false
}

// Event is what kind of event it is.
func (o Occurrence) Event() Event { return o.event }

// Values are those of the inserts, in their order. They are valid UTF-8 on one
// line, at most 2 KiB each, but for the kind Lines.
func (o Occurrence) Values() []string { return o.values }

// Shown are the values as the text shows them: "-" stands for an empty one.
func (o Occurrence) Shown() []string {
	shown := make([]string, len(o.values))
	for i, v := range o.values {
		shown[i] = orDash(v)
	}
	return shown
}

// Subject is what the event is about: the value of the first insert.
func (o Occurrence) Subject() string {
	if len(o.values) == 0 {
		return ""
	}
	return o.values[0]
}

// String is the ID of the event, which is how entries of the log show it.
func (o Occurrence) String() string { return strconv.Itoa(int(o.event.ID)) }

// Text is the text of the event with its inserts.
func (o Occurrence) Text() string {
	var b strings.Builder
	text := o.event.Text
	for {
		before, after, found := strings.Cut(text, "%")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		text = after[1:]
		if n := int(after[0] - '1'); n < len(o.values) {
			b.WriteString(orDash(o.values[n]))
		} else {
			b.WriteByte(after[0]) // %%
		}
	}
}

// orDash shows an empty value.
func orDash(value string) string {
	if value == "" {
		return "-"
	}
	return value
}

// Log makes an entry of the event, at the level of its severity.
func (o Occurrence) Log(log *logrus.Logger) {
	log.WithField(Field, o).Log(o.event.Severity.level(), o.Text())
}

func (s Severity) level() logrus.Level {
	switch s {
	case Error:
		return logrus.ErrorLevel
	case Warning:
		return logrus.WarnLevel
	default:
		return logrus.InfoLevel
	}
}

// occur makes an Occurrence of values as the functions in events.go take them.
func occur(id uint16, values ...any) Occurrence {
	o := Occurrence{event: find(id), values: make([]string, len(values))}
	for i, v := range values {
		if text, ok := v.(string); ok && o.event.Inserts[i].Kind == Lines {
			o.values[i] = strings.ToValidUTF8(text[:min(len(text), MaxLines)], "")
			continue
		}
		o.values[i] = format(v)
	}
	return o
}

func format(v any) string {
	switch v := v.(type) {
	case string:
		return clean(v)
	case error:
		// Errors that were joined stand on a line each.
		return clean(strings.ReplaceAll(strings.TrimSpace(v.Error()), "\n", "; "))
	case uint64:
		return strconv.FormatUint(v, 10)
	case time.Duration:
		return v.Round(time.Millisecond).String()
	}
	return ""
}

// clean makes one line of a text that may come from anybody, so that it can't
// pretend to be another entry of a log.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if len(s) <= maxValue {
		return s
	}
	const mark = "..."
	end := maxValue - len(mark)
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + mark
}
