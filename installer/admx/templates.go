// Package admx makes the administrative templates of Group Policy from the
// description of the settings in package config: PacketCache.admx and, for each
// language, PacketCache.adml.
package admx

//go:generate go test -run TestTemplates . -update

import (
	"bytes"
	"embed"
	"encoding/xml"
	"slices"
	"text/template"

	"github.com/packetcache/packetcache/internal/config"
)

//go:embed admx.tmpl adml.tmpl
var files embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{"xml": escape}).ParseFS(files, "*.tmpl"))

// Name is that of the files, without their extension.
const Name = "PacketCache"

// key is where policies are, below HKEY_LOCAL_MACHINE.
const key = `Software\Policies\PacketCache`

// A policy is a setting as Group Policy shows it.
type policy struct {
	config.Field
	// Title and Explain are in the language of the resources.
	Title, Explain string
}

// policies are those of all settings that Windows has.
func policies(l language) []policy {
	var list []policy
	for _, f := range config.Fields() {
		if f.OS == "" || f.OS == "windows" {
			list = append(list, policy{f, l.title(f), l.explain(f)})
		}
	}
	return list
}

// Element is what the registry value is made of: "text" (REG_SZ, or REG_EXPAND_SZ
// for a directory), "multiText"
// (REG_MULTI_SZ), "enum" (REG_SZ) or, for a policy without anything to enter,
// "switch" (REG_DWORD 1 or 0). A number is a text, since it may have a fraction.
func (p policy) Element() string {
	switch p.Kind {
	case config.List:
		return "multiText"
	case config.Choice:
		return "enum"
	case config.Switch:
		return "switch"
	}
	return "text"
}

// Length is the most characters that can be entered.
func (p policy) Length() int {
	switch p.Kind {
	case config.List:
		return 16384
	case config.Text:
		return p.MaxLen
	}
	return 255
}

// DefaultItem is the place of the default among the words of a Choice.
func (p policy) DefaultItem() int { return max(0, slices.Index(p.Enum, p.DefaultWindows)) }

// Definitions is PacketCache.admx.
func Definitions() ([]byte, error) {
	return execute("admx.tmpl", map[string]any{"Key": key, "Policies": policies(languages["en-US"])})
}

// Languages are those that there are resources for, as Windows names them.
func Languages() []string { return []string{"en-US", "de-DE"} }

// Resources is PacketCache.adml in a language.
func Resources(name string) ([]byte, error) {
	l := languages[name]
	return execute("adml.tmpl", map[string]any{"Language": l, "Policies": policies(l)})
}

func execute(name string, data any) ([]byte, error) {
	var b bytes.Buffer
	err := templates.ExecuteTemplate(&b, name, data)
	return b.Bytes(), err
}

func escape(text string) (string, error) {
	var b bytes.Buffer
	for i, line := range bytes.Split([]byte(text), []byte("\n")) {
		if i > 0 {
			b.WriteByte('\n') // readable, and the same to a reader of XML
		}
		if err := xml.EscapeText(&b, line); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}
