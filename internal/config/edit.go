package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// A Store is a Source that can be written.
type Store interface {
	Source
	// Set gives a setting a value, in the form of the command line; a list
	// takes any number of values. Values that are not allowed and unknown keys
	// are refused, and nothing is written.
	Set(key string, values ...string) error
	// Unset removes a setting from the store, so that a weaker source or the
	// default decides. One that is not there is no error.
	Unset(key string) error
	// Remove removes the store, with all that is in it. That it is not there is
	// no error.
	Remove() error
}

// Set writes the setting into the file, which is created if need be, and
// leaves everything else in it as it is, comments included. Readers see the
// old file or the new one, never a part.
func (f TOMLFile) Set(key string, values ...string) error {
	field, v, err := parseSetting(key, values)
	if err != nil {
		return err
	}
	return f.edit(key, func(text []byte) []byte {
		return setStatement(text, key, tomlValue(field, v))
	})
}

// Unset removes the setting's line from the file.
func (f TOMLFile) Unset(key string) error {
	if _, ok := FieldByKey(key); !ok {
		return fmt.Errorf("%q is not a setting", key)
	}
	return f.edit(key, func(text []byte) []byte { return removeStatement(text, key) })
}

// Remove removes the file, and its directory if nothing else is in it.
func (f TOMLFile) Remove() error {
	if err := os.Remove(f.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if dir := filepath.Dir(f.Path); filepath.Base(dir) == "packetcache" {
		_ = os.Remove(dir)
	}
	return nil
}

// parseSetting checks values from a command line.
func parseSetting(key string, values []string) (Field, any, error) {
	field, ok := FieldByKey(key)
	if !ok {
		return Field{}, nil, fmt.Errorf("%q is not a setting", key)
	}
	v, err := field.value(Words(values))
	if err != nil {
		return Field{}, nil, (&Loader{}).wrong(field, Words(values), err)
	}
	return field, v, nil
}

// edit changes the file as a whole, or not at all.
func (f TOMLFile) edit(key string, change func([]byte) []byte) error {
	path := f.Path
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // replace the file, not the link to it
	}
	text, err := TOMLFile{path}.text()
	if err != nil {
		return err
	}
	entries, err := parseTOML(path, text)
	if err != nil {
		return fmt.Errorf("%s is not changed: %w", path, err)
	}
	for _, entry := range entries {
		if _, isTable := entry.Value.(map[string]any); isTable && entry.Key == key {
			return fmt.Errorf("%s is not changed: %s: %s is a table there; remove it by hand", path, entry.Where, key)
		}
	}
	changed := change(text)
	if bytes.Equal(text, changed) {
		return nil
	}
	if _, err := parseTOML(path, changed); err != nil {
		return fmt.Errorf("%s is not changed, because it would not be valid: %w", path, err)
	}
	return replaceFile(path, changed)
}

// setStatement replaces the value of key or adds the key: in front of the
// first table, because what follows a header belongs to the table.
func setStatement(text []byte, key, value string) []byte {
	line := key + " = " + value
	at := len(text)
	for _, s := range statements(text) {
		if s.whole && s.key == key {
			return splice(text, s.start, s.end, line)
		}
		if s.table {
			at = min(at, lineStart(text, s.start))
		}
	}
	if at > 0 && text[at-1] != '\n' {
		line = "\n" + line
	}
	return splice(text, at, at, line+"\n")
}

func removeStatement(text []byte, key string) []byte {
	for _, s := range statements(text) {
		if !s.whole || s.key != key {
			continue
		}
		end := len(text)
		if newline := bytes.IndexByte(text[s.end:], '\n'); newline >= 0 {
			end = s.end + newline + 1
		}
		return splice(text, lineStart(text, s.start), end, "")
	}
	return text
}

func lineStart(text []byte, offset int) int {
	return bytes.LastIndexByte(text[:offset], '\n') + 1
}

func splice(text []byte, start, end int, with string) []byte {
	out := make([]byte, 0, len(text)+len(with))
	out = append(out, text[:start]...)
	out = append(out, with...)
	return append(out, text[end:]...)
}

func tomlValue(f Field, v any) string {
	switch v := v.(type) {
	case string:
		return tomlString(v)
	case Size:
		return tomlString(v.String())
	case []string:
		quoted := make([]string, len(v))
		for i, item := range v {
			quoted[i] = tomlString(item)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	}
	return f.words(v)[0]
}

// tomlString quotes a text that has no control characters, as checkText sees
// to, for a TOML basic string.
func tomlString(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// replaceFile gives path the content through a temporary file beside it, so
// that a crash leaves the old content or the new. All may read the file, as is
// the custom in /etc: it holds no secret.
func replaceFile(path string, content []byte) (err error) {
	const fileMode, dirMode fs.FileMode = 0o644, 0o755
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return fmt.Errorf("settings cannot be written: %w", err)
	}
	file, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("settings cannot be written: %w", err)
	}
	defer func() {
		if err != nil {
			file.Close()
			_ = os.Remove(file.Name()) // the first error is the one to tell
			err = fmt.Errorf("settings cannot be written: %w", err)
		}
	}()
	if _, err := file.Write(content); err != nil {
		return err
	}
	if err := file.Chmod(fileMode); err != nil && runtime.GOOS != "windows" {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes a rename survive a power cut. Windows has no such call and
// needs none.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
