package main

import (
	"regexp"
	"testing"
)

func TestProductVersion(t *testing.T) {
	for version, want := range map[string]string{
		"1.2.3":                     "1.2.3",
		"1.2.3-rc.1+x":              "1.2.3",
		"1.2.3-4-gabc1234":          "1.2.3",
		"0.0.0-dev+abcdef123456":    "0.0.0",
		"255.255.65535":             "255.255.65535",
		"256.0.0":                   "",
		"1.256.0":                   "",
		"1.2.65536":                 "",
		"1.2":                       "",
		"v1.2.3":                    "",
		"1.2.3.4":                   "",
		"1.2.3'; DROP TABLE `File`": "",
		"":                          "",
	} {
		if got, err := productVersion(version); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v, want %q", version, got, err, want)
		}
	}
}

func TestCode(t *testing.T) {
	a, b, c := code([]byte("x"), "product"), code([]byte("x"), "package"), code([]byte("y"), "product")
	if a == b || a == c || a != code([]byte("x"), "product") {
		t.Errorf("codes %s, %s, %s", a, b, c)
	}
	if !regexp.MustCompile(`^\{[0-9A-F]{8}-[0-9A-F]{4}-8[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}\}$`).MatchString(a) {
		t.Errorf("%s is no UUID of version 8", a)
	}
}
