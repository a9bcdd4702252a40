package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// DefaultFile is where the service on Linux has its settings.
const DefaultFile = "/etc/packetcache/packetcache.toml"

// maxFileSize bounds the settings file in bytes; all settings at their longest
// do not fill a third of it.
const maxFileSize = 1 << 20

// A TOMLFile is the Source and Store that keeps settings in a file in TOML
// (https://toml.io/en/v1.0.0), as top-level keys.
type TOMLFile struct {
	Path string
}

// Origin is File.
func (f TOMLFile) Origin() Origin { return File }

// Location is the path.
func (f TOMLFile) Location() string { return f.Path }

// Read returns what stands in the file; one that does not exist is empty. The
// error names the place of a mistake of syntax; nothing of such a file counts,
// because what a half-read file would mean nobody has written.
func (f TOMLFile) Read() ([]Entry, error) {
	text, err := f.text()
	if err != nil {
		return nil, err
	}
	return parseTOML(f.Path, text)
}

// text returns the content of the file, empty if it does not exist.
func (f TOMLFile) text() ([]byte, error) {
	// A pipe that nobody writes to would hold up who opens it.
	file, err := os.OpenFile(f.Path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("settings cannot be read: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("settings cannot be read: %w", err)
	}
	if !info.Mode().IsRegular() && !isNull(info) {
		return nil, fmt.Errorf("a %s is no settings file", kindOf(info.Mode()))
	}
	text, err := io.ReadAll(io.LimitReader(file, maxFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("settings cannot be read: %w", err)
	}
	if len(text) > maxFileSize {
		return nil, fmt.Errorf("more than %s is no settings file", FormatBytes(maxFileSize))
	}
	return text, nil
}

// isNull reports whether a file is /dev/null, to which a link is a customary way
// of having no settings.
func isNull(info fs.FileInfo) bool {
	null, err := os.Stat(os.DevNull)
	return err == nil && os.SameFile(info, null)
}

// kindOf names what is not a regular file.
func kindOf(mode fs.FileMode) string {
	switch mode.Type() {
	case fs.ModeDir:
		return "directory"
	case fs.ModeNamedPipe:
		return "named pipe"
	default:
		return "device"
	}
}

func parseTOML(path string, text []byte) ([]Entry, error) {
	var values map[string]any
	if err := toml.Unmarshal(text, &values); err != nil {
		var syntax *toml.DecodeError
		if errors.As(err, &syntax) {
			row, column := syntax.Position()
			return nil, fmt.Errorf("line %d, column %d: %s; nothing of the file counts until this is right",
				row, column, strings.TrimPrefix(syntax.Error(), "toml: "))
		}
		return nil, fmt.Errorf("not a TOML file: %w", err)
	}
	entries := make([]Entry, 0, len(values))
	offsets := map[string]int{}
	for _, s := range statements(text) {
		if _, seen := offsets[s.key]; !seen {
			offsets[s.key] = s.start
		}
	}
	for key, v := range values {
		line := 1 + bytes.Count(text[:offsets[key]], []byte("\n"))
		entries = append(entries, Entry{Key: key, Value: v, Where: fmt.Sprintf("%s:%d", path, line)})
	}
	slices.SortFunc(entries, func(a, b Entry) int { return offsets[a.Key] - offsets[b.Key] })
	return entries, nil
}

// A statement is a part of a TOML document that gives a top-level name its
// meaning: a key with its value, or the header of a table.
type statement struct {
	key        string // the first part, if the key has several
	table      bool   // the header of a table or of an array of tables
	whole      bool   // key = value, and the key has one part
	start, end int    // the bytes from the key to the end of the value or key
}

// statements lists the top-level statements in the order of the text, which
// must be valid TOML.
func statements(text []byte) []statement {
	var p unstable.Parser
	p.Reset(text)
	var list []statement
	inTable := false
	for p.NextExpression() {
		expression := p.Expression()
		isTable := expression.Kind == unstable.Table || expression.Kind == unstable.ArrayTable
		inTable = inTable || isTable
		if !isTable && (inTable || expression.Kind != unstable.KeyValue) {
			continue
		}
		keys := expression.Key()
		if !keys.Next() {
			continue
		}
		first := keys.Node()
		s := statement{
			key:   string(first.Data),
			table: isTable,
			whole: !isTable && !keys.Next(),
			start: int(first.Raw.Offset),
			end:   int(first.Raw.Offset + first.Raw.Length),
		}
		if !isTable {
			s.end = int(expression.Raw.Offset + expression.Raw.Length)
		}
		list = append(list, s)
	}
	return list
}
