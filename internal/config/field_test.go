package config

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// The tags are code that the compiler does not check.
func TestFields(t *testing.T) {
	known := map[string]bool{"key": true, "restart": true, "flag": true, "default": true, "default-windows": true, "min": true,
		"max": true, "enum": true, "item": true, "unit": true, "keeps-out": true, "os": true, "example": true, "doc": true}
	structType := reflect.TypeFor[Settings]()
	seen := map[string]bool{}
	for i, f := range Fields() {
		t.Run(f.Key, func(t *testing.T) {
			rest := string(structType.Field(i).Tag)
			for rest != "" {
				name, after, ok := strings.Cut(rest, `:"`)
				if !ok || !known[name] {
					t.Fatalf("unknown tag %q", rest)
				}
				after = strings.ReplaceAll(after, `\\`, "")
				_, rest, _ = strings.Cut(after, `"`)
				rest = strings.TrimSpace(rest)
			}
			for _, name := range []string{f.Key, f.Flag} {
				if name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz-") != "" {
					t.Errorf("%q is not in kebab case", name)
				}
			}
			if f.Key == "" || seen[f.Key] {
				t.Errorf("key %q missing or used twice", f.Key)
			}
			seen[f.Key] = true
			if f.Doc == "" || !strings.HasSuffix(f.Doc, ".") || f.Example == "" {
				t.Errorf("doc %q, example %q: one is missing", f.Doc, f.Example)
			}
			if f.Example == f.Default {
				t.Errorf("the example %q is the default", f.Example)
			}
			switch f.Kind {
			case Number:
				if f.Min >= f.Max {
					t.Errorf("range %v to %v", f.Min, f.Max)
				}
			case Interval:
				if f.MinInterval <= 0 || f.MinInterval >= f.MaxInterval {
					t.Errorf("range %v to %v", f.MinInterval, f.MaxInterval)
				}
			case Bytes:
				if f.MinSize == 0 {
					t.Error("no least size")
				}
			case Text, List:
				if f.MaxLen == 0 {
					t.Error("no greatest length")
				}
			case Choice:
				if len(f.Enum) < 2 {
					t.Errorf("words %q", f.Enum)
				}
			}
			if text := platformDefault(f); text != "" {
				if _, err := f.value(Words{text}); err != nil {
					t.Errorf("default %q: %v", text, err)
				}
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	s := Defaults()
	if s.RAMPercent != 1 || s.RAMSize != 0 || s.Interfaces != nil || s.Exclude != nil || s.Retain != nil || s.CaptureFilter != "" ||
		s.Promiscuous || s.Bias != 2 || !s.Persist || s.CheckpointInterval != 15*time.Minute || s.RecoveryRecipients != nil || s.LogLevel != "info" || s.DataDir == "" {
		t.Errorf("defaults: %+v", s)
	}
}

func TestRegistryNames(t *testing.T) {
	for key, want := range map[string]string{
		"ram-percent": "RamPercent", "interfaces": "Interfaces", "data-dir": "DataDir",
	} {
		if f, ok := FieldByKey(key); !ok || f.Registry != want {
			t.Errorf("%s is %q in the registry, want %q", key, f.Registry, want)
		}
	}
}
