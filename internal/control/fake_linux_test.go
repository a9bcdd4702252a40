package control

import "testing"

func endpointDir(t testing.TB) string { return t.TempDir() }
