package admx

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const namespace = "http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions"

// An element is what the schema of Microsoft's PolicyDefinitionFiles.xsd allows of
// one, as far as it is used here.
type element struct {
	attributes string // "name? name", a ? for what need not be there
	children   string // a regular expression over their names, each with a blank behind it
	text       bool
}

var schema = map[string]element{
	"policyDefinitions": {"revision schemaVersion", "policyNamespaces resources (supportedOn )?(categories )?(policies )?", false},
	"policyNamespaces":  {"", "target (using )*", false},
	"target":            {"prefix namespace", "", false},
	"resources":         {"minRequiredRevision?", "((stringTable )?(presentationTable )?)?", false},
	"supportedOn":       {"ref?", "((products )?(definitions )?)?", false},
	"definitions":       {"", "(definition )*", false},
	"definition":        {"name displayName", "", false},
	"categories":        {"", "(category )*", false},
	"category":          {"name displayName explainText?", "(parentCategory )?", false},
	"parentCategory":    {"ref", "", false},
	"policies":          {"", "(policy )*", false},
	"policy":            {"name class displayName explainText? presentation? key valueName?", "parentCategory supportedOn (enabledValue )?(disabledValue )?(elements )?", false},
	"enabledValue":      {"", "(decimal |string )", false},
	"disabledValue":     {"", "(decimal |string )", false},
	"decimal":           {"value", "", false},
	"string":            {"id?", "", true},
	"elements":          {"", "(text |multiText |enum )+", false},
	"enum":              {"id valueName? required?", "(item )*", false},
	"item":              {"displayName", "value ", false},
	"value":             {"", "(decimal |string )", false},
	"multiText":         {"id valueName? required? maxLength? maxStrings?", "", false},
	// One of the definitions, and one of a presentation.
	"text": {"id? valueName? required? maxLength? expandable?", "", true},

	"policyDefinitionResources": {"revision schemaVersion", "displayName description resources ", false},
	"displayName":               {"", "", true},
	"description":               {"", "", true},
	"stringTable":               {"", "(string )+", false},
	"presentationTable":         {"", "(presentation )+", false},
	"presentation":              {"id", "(text |textBox |multiTextBox |dropdownList )+", false},
	"textBox":                   {"refId", "label (defaultValue )?", false},
	"label":                     {"", "", true},
	"defaultValue":              {"", "", true},
	"multiTextBox":              {"refId", "", false},
	"dropdownList":              {"refId noSort? defaultItem?", "", true},
}

// A node is an element that was read.
type node struct {
	name       string
	attributes map[string]string
	children   []*node
	text       string
}

// parse reads a document and holds it to the schema.
func parse(t *testing.T, what string, document []byte) *node {
	t.Helper()
	decoder := xml.NewDecoder(bytes.NewReader(document))
	top := &node{}
	for stack := []*node{top}; ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		parent := stack[len(stack)-1]
		switch token := token.(type) {
		case xml.StartElement:
			n := &node{name: token.Name.Local, attributes: map[string]string{}}
			if token.Name.Space != namespace {
				t.Errorf("%s: %s is of the namespace %q", what, n.name, token.Name.Space)
			}
			for _, a := range token.Attr {
				if a.Name.Local != "xmlns" {
					n.attributes[a.Name.Local] = a.Value
				}
			}
			parent.children = append(parent.children, n)
			stack = append(stack, n)
		case xml.CharData:
			parent.text += string(token)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		}
	}
	if len(top.children) != 1 {
		t.Fatalf("%s has %d top elements", what, len(top.children))
	}
	top.children[0].check(t, what)
	return top.children[0]
}

func (n *node) check(t *testing.T, where string) {
	t.Helper()
	where += "/" + n.name
	e, ok := schema[n.name]
	if !ok {
		t.Fatalf("%s is not in the schema", where)
	}
	var names []string
	for _, word := range strings.Fields(e.attributes) {
		name, optional := strings.CutSuffix(word, "?")
		names = append(names, name)
		if _, has := n.attributes[name]; !has && !optional {
			t.Errorf("%s lacks %s", where, name)
		}
	}
	for name := range n.attributes {
		if !slices.Contains(names, name) {
			t.Errorf("%s takes no %s", where, name)
		}
	}
	var children strings.Builder
	for _, child := range n.children {
		children.WriteString(child.name + " ")
		child.check(t, where)
	}
	if !regexp.MustCompile("^(?:" + e.children + ")$").MatchString(children.String()) {
		t.Errorf("%s has the elements %s, want %s", where, children.String(), e.children)
	}
	if !e.text && strings.TrimSpace(n.text) != "" {
		t.Errorf("%s has the text %q", where, n.text)
	}
}

// all are the elements of a name below n.
func (n *node) all(name string) (list []*node) {
	for _, child := range n.children {
		if child.name == name {
			list = append(list, child)
		}
		list = append(list, child.all(name)...)
	}
	return list
}

var reference = regexp.MustCompile(`^\$\((string|presentation)\.(\w+)\)$`)

// Definitions and resources are of the schema and fit each other.
func TestSchema(t *testing.T) {
	document, err := Definitions()
	if err != nil {
		t.Fatal(err)
	}
	definitions := parse(t, "admx", document)
	used := map[string]bool{} // "string X", "presentation X"
	var walk func(*node)
	walk = func(n *node) {
		for _, value := range n.attributes {
			if m := reference.FindStringSubmatch(value); m != nil {
				used[m[1]+" "+m[2]] = true
			} else if strings.Contains(value, "$(") {
				t.Errorf("%s is no reference", value)
			}
		}
		for _, child := range n.children {
			walk(child)
		}
	}
	walk(definitions)
	fields := policies(languages["en-US"])
	list := definitions.all("policy")
	if len(list) != len(fields) {
		t.Fatalf("%d policies for %d settings", len(list), len(fields))
	}
	for i, n := range list {
		checkPolicy(t, n, fields[i])
	}
	for _, language := range Languages() {
		document, err := Resources(language)
		if err != nil {
			t.Fatal(err)
		}
		resources := parse(t, language, document)
		found := map[string]bool{}
		for _, kind := range []string{"string", "presentation"} {
			for _, n := range resources.all(kind) {
				name := kind + " " + n.attributes["id"]
				if found[name] {
					t.Errorf("%s: %s is there twice", language, name)
				}
				found[name] = true
				if kind == "string" && strings.TrimSpace(n.text) == "" {
					t.Errorf("%s: %s is empty", language, name)
				}
			}
		}
		if !maps.Equal(found, used) {
			t.Errorf("%s: it has %v, and %v are used", language, found, used)
		}
		for _, n := range resources.all("presentation") {
			for _, kind := range []string{"textBox", "multiTextBox", "dropdownList"} {
				for _, box := range n.all(kind) {
					if box.attributes["refId"] != n.attributes["id"] {
						t.Errorf("%s: the presentation %s shows %s", language, n.attributes["id"], box.attributes["refId"])
					}
				}
			}
		}
	}
}

// checkPolicy makes sure that a policy writes what the service reads.
func checkPolicy(t *testing.T, n *node, p policy) {
	t.Helper()
	if n.attributes["class"] != "Machine" || n.attributes["key"] != `Software\Policies\PacketCache` || n.attributes["name"] != p.Registry {
		t.Errorf("policy %v of %s", n.attributes, p.Key)
	}
	value := n.attributes["valueName"]
	for _, kind := range []string{"text", "multiText", "enum"} {
		for _, e := range n.all(kind) {
			value = e.attributes["valueName"]
			if length := e.attributes["maxLength"]; length != "" {
				if most, err := strconv.Atoi(length); err != nil || most < len(p.Example) {
					t.Errorf("%s takes %s characters: the example has %d", p.Key, length, len(p.Example))
				}
			}
			// The default of a directory names a variable, which only then is one.
			if expands := e.attributes["expandable"] == "true"; expands != strings.Contains(p.DefaultWindows, "%") {
				t.Errorf("%s has the default %s; expandable %v", p.Key, p.DefaultWindows, expands)
			}
			if kind == "enum" {
				var words []string
				for _, s := range e.all("string") {
					words = append(words, s.text)
				}
				if !slices.Equal(words, p.Enum) {
					t.Errorf("%s offers %q, want %q", p.Key, words, p.Enum)
				}
			}
		}
	}
	if value != p.Registry {
		t.Errorf("%s writes the value %q, and %q is read", p.Key, value, p.Registry)
	}
}
