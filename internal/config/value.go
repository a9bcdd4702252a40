package config

import (
	"errors"
	"fmt"
	"math"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxItemLen bounds each item of a list in bytes: the longest name that
// Windows gives a network connection is 255 characters.
const maxItemLen = 1024

// Words are a value as the command line or the registry gives it: untyped
// text. A setting that takes one value has exactly one word.
type Words []string

// String is the value as it would stand on a command line: the words with blanks
// between them, in quotes where a shell would not take them as one.
func (w Words) String() string {
	words := make([]string, len(w))
	for i, word := range w {
		words[i] = Quoted(word)
	}
	return strings.Join(words, " ")
}

// Quoted is text that a shell takes as one word.
func Quoted(word string) string {
	plain := func(r rune) bool {
		return r > 127 || strings.ContainsRune("-_./\\:+,@%", r) || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z'
	}
	if word == "" || strings.HasPrefix(word, "-") || strings.ContainsFunc(word, func(r rune) bool { return !plain(r) }) {
		return `"` + word + `"`
	}
	return word
}

// value turns what a source holds, Words or a value decoded from TOML, into
// the Go type of the setting: float64, Size, bool, string, []string or
// time.Duration. The
// error says what is wrong, without the key and without the allowed range.
func (f Field) value(raw any) (any, error) {
	if f.Kind == List {
		return f.listValue(raw)
	}
	if words, ok := raw.(Words); ok {
		if len(words) != 1 {
			return nil, fmt.Errorf("takes one value, got %d", len(words))
		}
		raw = words[0]
		switch f.Kind {
		case Number:
			return f.numberFromText(words[0])
		case Switch:
			return switchFromText(words[0])
		}
	}
	switch f.Kind {
	case Number:
		return f.numberValue(raw)
	case Bytes:
		return f.sizeValue(raw)
	case Interval:
		return f.intervalValue(raw)
	case Switch:
		if b, ok := raw.(bool); ok {
			return b, nil
		}
		return nil, wrongType(raw)
	}
	text, ok := raw.(string)
	if !ok {
		return nil, wrongType(raw)
	}
	if f.Kind == Choice {
		return f.choiceValue(text)
	}
	return f.textValue(text)
}

func (f Field) numberFromText(s string) (any, error) {
	n, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(s), "%")), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return nil, errors.New("not a number")
	}
	return f.numberValue(n)
}

func (f Field) numberValue(raw any) (any, error) {
	var n float64
	switch v := raw.(type) {
	case float64:
		n = v
	case int64:
		n = float64(v)
	default:
		return nil, wrongType(raw)
	}
	// Written so that NaN fails too.
	if !(n >= f.Min && n <= f.Max) {
		return nil, errors.New("out of range")
	}
	return n, nil
}

func switchFromText(s string) (any, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "1", "yes", "on":
		return true, nil
	case "false", "0", "no", "off":
		return false, nil
	}
	return nil, errors.New("neither true nor false")
}

func (f Field) sizeValue(raw any) (any, error) {
	var size Size
	switch v := raw.(type) {
	case string:
		if v == "" { // as good as absent
			return Size(0), nil
		}
		var err error
		if size, err = ParseSize(v); err != nil {
			return nil, err
		}
	case int64:
		if v < 0 {
			return nil, errors.New("out of range")
		}
		size = Size(v)
	default:
		return nil, wrongType(raw)
	}
	if size < f.MinSize {
		return nil, errors.New("out of range")
	}
	return size, nil
}

func (f Field) choiceValue(text string) (any, error) {
	word := strings.ToLower(text)
	if word == "warning" { // what most loggers call it
		word = "warn"
	}
	if !slices.Contains(f.Enum, word) {
		return nil, errors.New("unknown word")
	}
	return word, nil
}

func (f Field) textValue(text string) (any, error) {
	if err := checkText(text, f.MaxLen); err != nil {
		return nil, err
	}
	switch f.Item {
	case "directory":
		return text, checkDirectory(text)
	case "endpoint":
		return text, checkEndpoint(text)
	}
	return text, nil
}

func (f Field) listValue(raw any) (any, error) {
	var items []string
	switch v := raw.(type) {
	case Words:
		items = slices.Clone(v)
	case []any:
		for _, item := range v {
			text, ok := item.(string)
			if !ok {
				return nil, fmt.Errorf("item %v: %w", item, wrongType(item))
			}
			items = append(items, text)
		}
	case string:
		return nil, fmt.Errorf("a list stands in brackets: [%q]", v)
	default:
		return nil, wrongType(raw)
	}
	if len(items) > f.MaxLen {
		return nil, fmt.Errorf("%d items are too many", len(items))
	}
	for _, item := range items {
		if item == "" {
			return nil, errors.New("an empty item names nothing")
		}
		if err := checkText(item, maxItemLen); err != nil {
			return nil, fmt.Errorf("item %q: %w", shorten(item), err)
		}
		if _, err := path.Match(item, ""); f.Item == "glob" && err != nil {
			return nil, fmt.Errorf(`item %q: a "[" without "]" or a last "\"`, item)
		}
	}
	if len(items) == 0 {
		return []string(nil), nil
	}
	var err error
	switch f.Item {
	case "rule":
		err = checkRetain(items)
	case "recipient":
		err = checkRecipients(items)
	}
	if err != nil {
		return nil, err
	}
	return items, nil
}

func checkText(text string, maxLen int) error {
	switch {
	case len(text) > maxLen:
		return fmt.Errorf("%d bytes are too long", len(text))
	case !utf8.ValidString(text):
		return errors.New("not valid UTF-8")
	case strings.ContainsFunc(text, unicode.IsControl):
		return errors.New("contains a control character")
	}
	return nil
}

func checkDirectory(dir string) error {
	if !filepath.IsAbs(dir) {
		return errors.New("not an absolute path")
	}
	return nil
}

// checkEndpoint takes a directory where endpoints are sockets, and part of a
// pipe's name on Windows, where a backslash would change which pipe it is.
func checkEndpoint(text string) error {
	if runtime.GOOS != "windows" {
		return checkDirectory(text)
	}
	if strings.ContainsFunc(text, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_.", r)
	}) {
		return errors.New("cannot be part of a pipe's name")
	}
	return nil
}

func wrongType(raw any) error {
	switch raw.(type) {
	case string:
		return errors.New("text has the wrong type")
	case bool:
		return errors.New("true or false has the wrong type")
	case int64, float64:
		return errors.New("a number has the wrong type")
	case []any:
		return errors.New("a list has the wrong type")
	case map[string]any:
		return errors.New("a table has the wrong type")
	}
	return errors.New("has the wrong type")
}

// words writes a value of the setting's Go type in the form of the command
// line, the inverse of value.
func (f Field) words(v any) Words {
	switch v := v.(type) {
	case float64:
		return Words{formatNumber(v)}
	case Size:
		return Words{v.String()}
	case time.Duration:
		return Words{FormatInterval(v)}
	case bool:
		return Words{strconv.FormatBool(v)}
	case []string:
		return Words(v)
	}
	return Words{fmt.Sprint(v)}
}

// shorten keeps a value that is shown in a message to one short line, and a
// private key, which somebody took for the public one, out of the log.
func shorten(s string) string {
	const most = 80
	if strings.Contains(strings.ToUpper(s), privateKey) {
		return "a private key"
	}
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}

// showRaw writes what a source held, for messages.
func showRaw(raw any) string {
	switch v := raw.(type) {
	case Words:
		if len(v) == 1 {
			return strconv.Quote(shorten(v[0]))
		}
		return shorten(fmt.Sprintf("%q", []string(v)))
	case string:
		return strconv.Quote(shorten(v))
	case float64:
		if math.IsNaN(v) {
			return "nan"
		}
		return formatNumber(v)
	case []any:
		parts := make([]string, 0, len(v))
		for _, item := range v[:min(len(v), 8)] {
			parts = append(parts, showRaw(item))
		}
		if len(parts) < len(v) {
			parts = append(parts, "...")
		}
		return shorten("[" + strings.Join(parts, ", ") + "]")
	case map[string]any:
		return "{...}"
	}
	return shorten(fmt.Sprint(raw))
}
