package control

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/packetcache/packetcache/internal/config"
)

// A source holds entries of some origin.
type source struct {
	origin  config.Origin
	entries []config.Entry
}

func (s source) Origin() config.Origin         { return s.origin }
func (s source) Location() string              { return "there" }
func (s source) Read() ([]config.Entry, error) { return s.entries, nil }

// What a client gets is what was loaded: values, where from, and what is wrong.
func TestSettings(t *testing.T) {
	given := &config.Args{}
	given.Set("interface", "Ethernet, 2", "eth*")
	loaded := (&config.Loader{Sources: []config.Source{given, source{config.Policy, []config.Entry{
		{Key: "ram-percent", Value: config.Words{"5"}, Where: "here"},
		{Key: "bias", Value: config.Words{"99"}, Where: "there"},
	}}}}).Load(nil)
	dir, _ := serve(t, &fakeService{settings: func(context.Context) (Settings, error) { return DescribeSettings(loaded), nil }})
	got, err := client(t, dir).Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]Setting{
		"ram-percent":    {Values: []string{"5"}, Origin: "policy", Where: "here"},
		"interfaces":     {Values: []string{"Ethernet, 2", "eth*"}, Origin: "command line", Where: "--interface"},
		"exclude":        {Values: []string{}, Origin: "default"},
		"capture-filter": {Values: []string{}, Origin: "default"},
		"ram-size":       {Values: []string{}, Origin: "default"},
		"bias":           {Values: []string{"2"}, Origin: "default"},
	} {
		setting, ok := got.Find(key)
		field, _ := config.FieldByKey(key)
		want.Key, want.Allowed = key, field.Allowed()
		if !ok || !reflect.DeepEqual(setting, want) {
			t.Errorf("%s is %+v, want %+v", key, setting, want)
		}
	}
	if _, ok := got.Find("colour"); ok {
		t.Error("there is a setting that there is not")
	}
	if len(got.Problems) != 1 || got.Problems[0].Key != "bias" || got.Problems[0].Origin != "policy" ||
		got.Problems[0].Where != "there" || got.Problems[0].Reason == "" || got.Problems[0].Instead == "" {
		t.Errorf("problems %+v", got.Problems)
	}
}

func TestSettingsFail(t *testing.T) {
	dir, _ := serve(t, &fakeService{settings: func(context.Context) (Settings, error) { return Settings{}, errors.New("no") }})
	var problem *Problem
	if _, err := client(t, dir).Settings(t.Context()); !errors.As(err, &problem) || problem.Status != 500 {
		t.Errorf("got %v", err)
	}
	resp, err := client(t, dir).get(t.Context(), "/v1/settings", map[string][]string{"key": {"bias"}})
	if !errors.As(err, &problem) || problem.Status != 400 {
		t.Errorf("with a parameter: %v", err)
	}
	if err == nil {
		_ = resp.Body.Close()
	}
	// Lists are empty, never null.
	dir, _ = serve(t, &fakeService{})
	if got, err := client(t, dir).Settings(t.Context()); err != nil || got.Settings == nil || got.Problems == nil {
		t.Errorf("got %+v, %v", got, err)
	}
}
