package pcctl

import "testing"

func fakeEndpoint(t *testing.T) string { return t.TempDir() }
