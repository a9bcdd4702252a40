package control

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// document is docs/control.md.
func document(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/control.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestDocumentNamesEverything(t *testing.T) {
	text := document(t)
	var names []string
	for _, v := range []any{Status{}, Interfaces{}, Settings{}, Plan{}, DumpResult{}, Unwrapped{}, Cleared{}, Problem{}} {
		names = append(names, jsonNames(reflect.TypeOf(v))...)
	}
	names = append(names, dumpParams...)
	names = append(names, paramRAM, headerEstimate, trailerResult)
	for _, s := range []State{StateStarting, StateCapturing, StateReplaying, StateIdle, StateStopping} {
		names = append(names, string(s))
	}
	for _, s := range []PersistenceState{
		PersistenceOff, PersistenceWaiting, PersistenceRestoring, PersistenceReady, PersistenceSaving,
	} {
		names = append(names, string(s))
	}
	for _, s := range []InterfaceState{
		InterfaceCapturing, InterfaceCovered, InterfaceExcluded, InterfaceWaiting,
		InterfaceDown, InterfaceGone, InterfaceFailed, InterfaceReplayed,
	} {
		names = append(names, string(s))
	}
	if len(names) < 80 {
		t.Fatalf("only %d names to look for", len(names))
	}
	for _, name := range names {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("docs/control.md does not explain `%s`", name)
		}
	}
	for path, route := range NewServer(nil, nil).routes {
		if !strings.Contains(text, "## "+route.method+" "+path) {
			t.Errorf("docs/control.md has no section on %s", path)
		}
	}
}

// jsonNames are the names of the fields of t and of all that it holds.
func jsonNames(t reflect.Type) []string {
	switch t.Kind() {
	case reflect.Slice, reflect.Map, reflect.Pointer:
		return jsonNames(t.Elem())
	case reflect.Struct:
	default:
		return nil
	}
	var names []string
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		names = append(names, name)
		names = append(names, jsonNames(f.Type)...)
	}
	return names
}

// TestDocumentExamples reads the examples as a client would, and finds in them
// every field that is not left out when empty.
func TestDocumentExamples(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(document(t), -1)
	into := []any{&Problem{}, &Status{}, &Interfaces{}, &Settings{}, &Plan{}, &DumpResult{}, &Unwrapped{}, &Cleared{}}
	if len(blocks) != len(into) {
		t.Fatalf("%d examples, want %d", len(blocks), len(into))
	}
	for i, block := range blocks {
		d := json.NewDecoder(strings.NewReader(block[1]))
		d.DisallowUnknownFields()
		if err := d.Decode(into[i]); err != nil {
			t.Errorf("example of %T: %v", into[i], err)
			continue
		}
		again, err := json.Marshal(into[i])
		if err != nil {
			t.Fatal(err)
		}
		if want, got := sorted(t, []byte(block[1])), sorted(t, again); !bytes.Equal(want, got) {
			t.Errorf("example of %T is not what is sent:\n%s\n%s", into[i], want, got)
		}
	}
}

// sorted is JSON with its names in order.
func sorted(t *testing.T, text []byte) []byte {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
