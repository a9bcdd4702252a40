package scripts

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// An interpreter runs as much of PowerShell as the functions of the scripts take
// that talk to the service. It is no PowerShell: it shows that their steps, taken as
// written, lead where they should, and nothing about what a command really does.
type interpreter struct {
	functions map[string]*node
	// dial connects to a named pipe.
	dial func(name string) (net.Conn, error)
	// service is what Get-Service returns, nil for none.
	service any
	// said is what the script says, a line each.
	said []string
	// commands are those that a test brings.
	commands map[string]func(s *scope, piped any, args []any, named map[string]any) any
}

// The values of the language are nil, bool, int64, string, time.Time, []byte, []any,
// and these.
type (
	hashtable   map[string]any
	object      struct{ properties hashtable }
	scriptBlock struct{ *node }
	reference   struct {
		get func() any
		set func(any)
	}
	typeName string
	// A native is an object of .NET; it answers calls of its methods.
	native func(method string, args []any) any
	// An exception of a class, which the names of those above it follow.
	exception struct {
		classes []string
		message string
		inner   *exception
	}
)

func (e *exception) Error() string { return e.classes[0] + ": " + e.message }

// Exceptions, with the classes that the scripts ask for.
func ioError(class string) *exception {
	return &exception{classes: []string{class, "System.IO.IOException"}}
}

// A scope holds variables; it sees those of who called.
type scope struct {
	variables map[string]any
	caller    *scope
	out       *[]any
}

func (s *scope) get(name string) any {
	name = strings.ToLower(name)
	for at := s; at != nil; at = at.caller {
		if v, ok := at.variables[name]; ok {
			return v
		}
	}
	switch name {
	case "$true":
		return true
	case "$false":
		return false
	case "$null":
		return nil
	case "$pid":
		return int64(4711)
	}
	panic(fmt.Errorf("%s has not been set", name)) // as Set-StrictMode has it
}

func (s *scope) set(name string, v any) { s.variables[strings.ToLower(name)] = v }

// What a statement does beside going on.
type signal int

const (
	goesOn signal = iota
	returns
	breaks
	continues
)

// call runs a function of the script and returns what it puts out.
func (in *interpreter) call(name string, args map[string]any) (out []any, err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case *exception:
			err = p
		case error:
			err = fmt.Errorf("%s: %w", name, p)
		default:
			panic(p)
		}
	}()
	s := &scope{variables: map[string]any{}, out: &out}
	for n, v := range args {
		s.set("$"+n, v)
	}
	in.block(in.functions[name].one("script_block"), s)
	return out, nil
}

// one is the first node of a type below n, not within a block that it holds.
func (n *node) one(kind string) *node {
	for _, kid := range n.Kids {
		if kid.Type == kind {
			return kid
		}
	}
	for _, kid := range n.Kids {
		if found := kid.one(kind); found != nil {
			return found
		}
	}
	return nil
}

// bare goes down as long as a node says nothing of its own.
func (n *node) bare() *node {
	for len(n.Kids) == 1 && n.Type != "statement_block" && n.Type != "script_block" && n.Type != "expandable_string_literal" {
		n = n.Kids[0]
	}
	return n
}

func (in *interpreter) block(n *node, s *scope) signal {
	for _, kid := range n.Kids {
		if kid.Type == "param_block" {
			continue
		}
		if sig := in.statement(kid.bare(), s); sig != goesOn {
			return sig
		}
	}
	return goesOn
}

func (in *interpreter) statement(n *node, s *scope) signal {
	switch n.Type {
	case "{", "}", ";", "(", ")", "comment", "param_block", "function_statement":
	case "statement_list", "statement_block", "script_block", "script_block_body":
		return in.block(n, s)
	case "if_statement":
		return in.ifElse(n, s)
	case "while_statement", "foreach_statement":
		return in.loop(n, s)
	case "for_statement":
		return in.forLoop(n, s)
	case "switch_statement":
		return in.choose(n, s)
	case "try_statement":
		return in.try(n, s)
	case "flow_control_statement", "break", "continue", "return":
		return in.flow(n, s)
	default:
		if v, silent := in.value(n, s); !silent && v != nil {
			*s.out = append(*s.out, v)
		}
	}
	return goesOn
}

func (in *interpreter) ifElse(n *node, s *scope) signal {
	var condition *node
	for _, kid := range n.Kids {
		switch kid.Type {
		case "if", "(", ")", "comment":
		case "statement_block":
			if truth(in.of(condition, s)) {
				return in.block(kid, s)
			}
		case "elseif_clauses":
			for _, clause := range kid.Kids {
				if c := clause.Kids; truth(in.of(c[2], s)) {
					return in.block(c[4], s)
				}
			}
		case "elseif_clause":
			if c := kid.Kids; truth(in.of(c[2], s)) {
				return in.block(c[4], s)
			}
		case "else_clause":
			return in.block(kid.Kids[1], s)
		default:
			condition = kid.bare()
		}
	}
	return goesOn
}

func (in *interpreter) loop(n *node, s *scope) signal {
	block := n.one("statement_block")
	var parts []*node
	for _, kid := range n.Kids {
		if kid != block && kid.Type != "(" && kid.Type != ")" && kid.Type != "while" && kid.Type != "foreach" && kid.Type != "in" {
			parts = append(parts, kid.bare())
		}
	}
	if n.Type == "foreach_statement" {
		for _, item := range in.of(parts[1], s).([]any) {
			s.set(parts[0].Text, item)
			if sig := in.block(block, s); sig == returns || sig == breaks {
				return sig &^ breaks
			}
		}
		return goesOn
	}
	for truth(in.of(parts[0], s)) {
		if sig := in.block(block, s); sig == returns {
			return sig
		} else if sig == breaks {
			break
		}
	}
	return goesOn
}

func (in *interpreter) try(n *node, s *scope) (sig signal) {
	var body, catching, last *node
	for _, kid := range n.Kids {
		switch kid.Type {
		case "statement_block":
			body = kid
		case "catch_clauses", "catch_clause":
			catching = kid.one("statement_block")
		case "finally_clause":
			last = kid.one("statement_block")
		}
	}
	if last != nil {
		defer in.block(last, s)
	}
	if catching != nil {
		defer func() {
			switch p := recover().(type) {
			case nil:
			case *exception:
				s.set("$_", &object{hashtable{"exception": p}})
				sig = in.block(catching, s)
			default:
				panic(p)
			}
		}()
	}
	return in.block(body, s)
}

func (in *interpreter) flow(n *node, s *scope) signal {
	word, value := n, (*node)(nil)
	if len(n.Kids) > 0 {
		word = n.Kids[0]
	}
	if len(n.Kids) > 1 {
		value = n.Kids[1].bare()
	}
	switch word.Type {
	case "exit":
		panic(exitCode(in.of(value, s).(int64)))
	case "return":
		if value != nil {
			*s.out = append(*s.out, in.of(value, s))
		}
		return returns
	case "break":
		return breaks
	case "continue":
		return continues
	case "throw":
		switch v := in.of(value, s).(type) {
		case *exception:
			panic(v)
		default:
			panic(&exception{classes: []string{"RuntimeException"}, message: text(v)})
		}
	}
	panic(fmt.Errorf("line %d: %s", n.Row, word.Type))
}

// forLoop has the parts of a for between semicolons.
func (in *interpreter) forLoop(n *node, s *scope) signal {
	var parts []*node
	for _, kid := range n.Kids {
		if kid.Type != "for" && kid.Type != "(" && kid.Type != ")" && kid.Type != ";" && kid.Type != "statement_block" {
			parts = append(parts, kid.bare())
		}
	}
	in.statement(parts[0], s)
	for block := n.one("statement_block"); truth(in.of(parts[1], s)); in.statement(parts[2], s) {
		if sig := in.block(block, s); sig == returns || sig == breaks {
			return sig &^ breaks
		}
	}
	return goesOn
}

// choose runs the clause of a switch that has the value, else the default.
func (in *interpreter) choose(n *node, s *scope) signal {
	v := text(in.of(n.one("switch_condition").Kids[1], s))
	for _, clause := range n.find("switch_clause") {
		of := clause.Kids[0].bare()
		if of.Text == "default" || strings.EqualFold(text(in.of(of, s)), v) {
			return in.block(clause.one("statement_block"), s)
		}
	}
	return goesOn
}

// function runs one of the script with named arguments; what is not given is empty.
func (in *interpreter) function(f *node, args []any, named map[string]any, s *scope) any {
	var out []any
	inner := &scope{variables: map[string]any{}, caller: s, out: &out}
	for i, p := range f.one("param_block").find("variable") {
		inner.set(p.Text, named["-"+strings.ToLower(strings.TrimPrefix(p.Text, "$"))])
		if i < len(args) {
			inner.set(p.Text, args[i])
		}
	}
	in.block(f.one("script_block"), inner)
	return unrolled(out)
}

// here runs a block in the scope that it stands in.
func (in *interpreter) here(block scriptBlock, s *scope) (out []any) {
	in.block(block.node, &scope{variables: s.variables, caller: s.caller, out: &out})
	return out
}

// An exitCode ends the script.
type exitCode int64

// main runs what a script does outside of its functions, with these variables, and
// returns the exit code.
func (in *interpreter) main(tree *node, variables hashtable) (code int64, err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case exitCode:
			code = int64(p)
		case error:
			err = p
		default:
			panic(p)
		}
	}()
	var out []any
	s := &scope{variables: map[string]any{}, out: &out}
	for name, v := range variables {
		s.set("$"+name, v)
	}
	in.block(tree.one("statement_list"), s)
	return 0, nil
}

// of is the value of an expression.
func (in *interpreter) of(n *node, s *scope) any {
	v, _ := in.value(n.bare(), s)
	return v
}

// value also tells whether the expression puts nothing out as a statement.
func (in *interpreter) value(n *node, s *scope) (v any, silent bool) {
	kids := n.Kids
	switch n.Type {
	case "variable":
		return s.get(n.Text), false
	case "$_":
		return s.get("$_"), false
	case "braced_variable":
		name := strings.Trim(n.Text, "${}")
		if function, ok := strings.CutPrefix(name, "function:"); ok {
			return function, false
		}
		return s.get("$" + name), false
	case "decimal_integer_literal":
		i, _ := strconv.ParseInt(n.Text, 10, 64)
		return i, false
	case "verbatim_string_characters":
		return strings.ReplaceAll(n.Text[1:len(n.Text)-1], "''", "'"), false
	case "expandable_string_literal":
		return in.expand(n, s), false
	case "simple_name", "generic_token":
		return n.Text, false
	case "type_literal":
		return typeName(strings.Trim(n.source(), "[]")), false
	case "parenthesized_expression", "sub_expression":
		return in.of(kids[1], s), false
	case "array_expression":
		if len(kids) == 2 {
			return []any{}, false
		}
		return list(in.of(kids[1], s)), false
	case "array_literal_expression":
		var all []any
		for i := 0; i < len(kids); i += 2 {
			all = append(all, in.of(kids[i], s))
		}
		return all, false
	case "script_block_expression":
		return scriptBlock{n.one("script_block")}, false
	case "hash_literal_expression":
		h := hashtable{}
		for _, entry := range n.find("hash_entry") {
			h[strings.ToLower(entry.Kids[0].source())] = in.of(entry.Kids[2], s)
		}
		return h, false
	case "assignment_expression":
		in.assign(n, s)
		return s.get0(n, in), true
	case "cast_expression":
		return in.cast(n, s)
	case "post_increment_expression":
		name := kids[0].bare().Text
		s.set(name, s.get(name).(int64)+1)
		return nil, true
	case "command_name":
		return in.command([]*node{n}, nil, s), false
	case "expression_with_unary_operator":
		switch v := in.of(kids[1], s); strings.ToLower(kids[0].source()) {
		case "-not", "!":
			return !truth(v), false
		case "-":
			return -v.(int64), false
		}
	case "logical_expression":
		left := truth(in.of(kids[0], s))
		if strings.EqualFold(kids[1].source(), "-and") {
			return left && truth(in.of(kids[2], s)), false
		}
		return left || truth(in.of(kids[2], s)), false
	case "comparison_expression", "additive_expression":
		return in.binary(strings.ToLower(kids[1].source()), in.of(kids[0], s), in.of(kids[2], s), s), false
	case "member_access":
		return in.member(in.of(kids[0], s), kids[len(kids)-1].source()), false
	case "element_access":
		return element(in.of(kids[0], s), in.of(kids[2], s)), false
	case "invokation_expression":
		return in.invoke(n, s), false
	case "pipeline_chain":
		return in.pipe(n, s), false
	case "command":
		return in.command(kids, nil, s), false
	}
	panic(fmt.Errorf("line %d: %s is not needed so far: %s", n.Row, n.Type, n.source()))
}

// get0 is the value that an assignment has given.
func (s *scope) get0(n *node, in *interpreter) any { return in.of(n.Kids[0], s) }

func (in *interpreter) assign(n *node, s *scope) {
	target, v := n.Kids[0].bare(), in.of(n.Kids[2], s)
	if op := n.Kids[1].source(); op != "=" {
		v = in.binary(op[:1], in.of(target, s), v, s)
	}
	in.give(target, v, s)
}

func (in *interpreter) give(target *node, v any, s *scope) {
	switch target.Type {
	case "variable":
		s.set(target.Text, v)
	case "member_access":
		name := strings.ToLower(target.Kids[2].source())
		switch on := in.of(target.Kids[0], s).(type) {
		case *object:
			on.properties[name] = v
		case hashtable:
			on[name] = v
		}
	case "element_access":
		in.of(target.Kids[0], s).(hashtable)[strings.ToLower(text(in.of(target.Kids[2], s)))] = v
	case "array_literal_expression":
		for i, one := range v.([]any) {
			in.give(target.Kids[2*i].bare(), one, s)
		}
	default:
		panic(fmt.Errorf("line %d: assignment to %s", target.Row, target.Type))
	}
}

func (in *interpreter) cast(n *node, s *scope) (any, bool) {
	kind := strings.ToLower(n.Kids[0].source())
	kind = kind[1 : len(kind)-1]
	if kind == "ref" {
		name := n.Kids[1].bare().Text
		return reference{func() any { return s.get(name) }, func(v any) { s.set(name, v) }}, false
	}
	v := in.of(n.Kids[1], s)
	switch kind {
	case "void":
		return nil, true
	case "long", "int":
		if i, ok := v.(int64); ok {
			return i, false
		}
		i, err := strconv.ParseInt(text(v), 10, 64)
		if err != nil {
			panic(&exception{classes: []string{"InvalidCastException"}, message: text(v)})
		}
		return i, false
	case "char":
		return string(rune(v.(int64))), false
	case "byte[]":
		return v.([]byte), false
	case "datetime":
		at, err := time.Parse(time.DateOnly, text(v))
		if err != nil {
			panic(err)
		}
		return at, false
	case "bool":
		return truth(v), false
	case "char[]":
		return v, false
	case "pscustomobject":
		return &object{v.(hashtable)}, false
	}
	panic(fmt.Errorf("line %d: cast to %s", n.Row, kind))
}

func (in *interpreter) binary(op string, a, b any, s *scope) any {
	switch op {
	case "-is":
		if e, ok := a.(*exception); ok {
			for _, class := range e.classes {
				if class == string(b.(typeName)) {
					return true
				}
			}
			return false
		}
		if _, ok := a.(*errorRecord); ok {
			return b.(typeName) == "System.Management.Automation.ErrorRecord"
		}
		_, isTime := a.(time.Time)
		return isTime && b.(typeName) == "datetime"
	case "-match", "-notmatch":
		m := regexp.MustCompile("(?i)" + text(b)).FindStringSubmatch(text(a))
		if m != nil {
			var groups []any
			for _, g := range m {
				groups = append(groups, g)
			}
			s.set("$Matches", groups)
		}
		return (m != nil) == (op == "-match")
	case "-eq", "-ne":
		same := a == b
		if x, ok := a.(string); ok {
			same = strings.EqualFold(x, text(b))
		}
		return same == (op == "-eq")
	case "-contains", "-notcontains":
		has := false
		for _, item := range list(a) {
			has = has || strings.EqualFold(text(item), text(b))
		}
		return has == (op == "-contains")
	case "-replace":
		pair := b.([]any)
		return regexp.MustCompile("(?i)"+text(pair[0])).ReplaceAllString(text(a), text(pair[1]))
	case "-join":
		var words []string
		for _, item := range a.([]any) {
			words = append(words, text(item))
		}
		return strings.Join(words, text(b))
	case "+":
		switch x := a.(type) {
		case string:
			return x + text(b)
		case []any:
			return append(x[:len(x):len(x)], b)
		}
	}
	if x, ok := a.(time.Time); ok && op == "-" {
		return &object{hashtable{"totalseconds": int64(x.Sub(b.(time.Time)).Seconds())}}
	}
	x, y := a.(int64), b.(int64)
	switch op {
	case "+":
		return x + y
	case "-":
		return x - y
	case "-lt":
		return x < y
	case "-le":
		return x <= y
	case "-gt":
		return x > y
	case "-ge":
		return x >= y
	}
	panic(fmt.Errorf("operator %s", op))
}

func (in *interpreter) member(v any, name string) any {
	name = strings.ToLower(name)
	switch v := v.(type) {
	case *object:
		if name == "psobject" {
			return &object{hashtable{"properties": v.properties}}
		}
		p, ok := v.properties[name]
		if !ok {
			panic(fmt.Errorf("no property %s", name)) // as Set-StrictMode has it
		}
		return p
	case *exception:
		switch name {
		case "innerexception":
			if v.inner != nil {
				return v.inner
			}
			return nil
		case "message":
			return v.message
		}
	case *errorRecord:
		return v.id
	case typeName:
		switch {
		case v == "datetime" && name == "utcnow":
			return time.Date(2026, 3, 1, 9, 30, 0, 5, time.UTC)
		case v == "Environment" && name == "machinename":
			return "HOST7"
		}
		// a value of an enumeration, or what only has methods
		return string(v) + "." + name
	case native:
		return v(name, nil)
	case []byte: // Length
		return int64(len(v))
	case []any: // Count
		return int64(len(v))
	case hashtable:
		switch name {
		case "count":
			return int64(len(v))
		case "values":
			var all []any
			for _, value := range v {
				all = append(all, value)
			}
			return all
		}
		return v[name]
	}
	panic(fmt.Errorf("no member %s of %T", name, v))
}

func element(v, index any) any {
	switch v := v.(type) {
	case []any:
		return v[index.(int64)]
	case hashtable:
		return v[strings.ToLower(text(index))]
	}
	panic(fmt.Errorf("no element %v of %T", index, v))
}

// invoke calls a method.
func (in *interpreter) invoke(n *node, s *scope) any {
	kids := n.Kids
	on, method := in.of(kids[0], s), kids[2].source()
	var args []any
	for _, kid := range kids[3].Kids {
		switch kid.Type {
		case "(", ")":
		case "argument_expression_list":
			for i := 0; i < len(kid.Kids); i += 2 {
				args = append(args, in.of(kid.Kids[i], s))
			}
		default:
			args = append(args, in.of(kid, s))
		}
	}
	if class, ok := on.(typeName); ok {
		return static(string(class)+"::"+method, args)
	}
	switch on := on.(type) {
	case native:
		return on(strings.ToLower(method), args)
	case *pipeHandle:
		return on.native(strings.ToLower(method), args)
	case string:
		return stringMethod(on, method, args)
	case hashtable:
		_, has := on[strings.ToLower(text(args[0]))]
		return has // Contains
	case time.Time:
		if method == "ToString" {
			return on.Format("2006-01-02T15:04:05.0000000Z07:00")
		}
		return on.UTC() // ToUniversalTime
	}
	panic(fmt.Errorf("line %d: %s of %T", n.Row, method, on))
}

func stringMethod(s, method string, args []any) any {
	switch method {
	case "TrimStart":
		return strings.TrimLeft(s, text(args[0]))
	case "TrimEnd":
		return strings.TrimRight(s, text(args[0]))
	case "Trim":
		return strings.TrimSpace(s)
	case "ToLowerInvariant":
		return strings.ToLower(s)
	case "Split":
		var parts []any
		for _, part := range strings.Split(s, text(args[0])) {
			parts = append(parts, part)
		}
		return parts
	case "GetBytes":
		return []byte(text(args[0])) // System.Text.Encoding.ascii
	}
	panic(fmt.Errorf("method %s of a string", method))
}

func static(name string, args []any) any {
	switch name {
	case "Convert::ToInt64":
		i, err := strconv.ParseInt(text(args[0]), int(args[1].(int64)), 64)
		if err != nil {
			panic(&exception{classes: []string{"System.FormatException"}, message: err.Error()})
		}
		return i
	case "Math::Floor":
		return args[0]
	case "Math::Min":
		return min(args[0].(int64), args[1].(int64))
	case "Uri::EscapeDataString":
		return strings.ReplaceAll(url.QueryEscape(text(args[0])), "+", "%20")
	case "System.Diagnostics.Stopwatch::StartNew":
		return native(func(string, []any) any { return int64(0) }) // no time passes
	case "Array::Resize":
		args[0].(reference).set(args[0].(reference).get().([]byte)[:args[1].(int64)])
		return nil
	}
	if v, known := staticFiles(name, args); known {
		return v
	}
	panic(fmt.Errorf("method %s", name))
}

// pipe passes what one expression gives to the commands behind it.
func (in *interpreter) pipe(n *node, s *scope) any {
	v := in.of(n.Kids[0], s)
	for _, kid := range n.Kids[1:] {
		switch kid = kid.bare(); kid.Type {
		case "|":
		case "command":
			v = in.command(kid.Kids, v, s)
		case "command_name":
			v = in.command([]*node{kid}, v, s)
		default:
			panic(fmt.Errorf("line %d: a pipeline into %s", n.Row, kid.Type))
		}
	}
	return v
}

// command runs a command, or with & a block.
func (in *interpreter) command(kids []*node, piped any, s *scope) any {
	name, rest := kids[0].source(), kids[1:]
	var block scriptBlock
	if kids[0].source() == "&" {
		name, block = "&", in.of(kids[1], s).(scriptBlock)
		rest = kids[2:]
	}
	var args []any
	named, option := map[string]any{}, ""
	for _, elements := range rest {
		for _, kid := range elements.Kids {
			switch kid = kid.bare(); {
			case strings.TrimSpace(kid.source()) == "":
			case kid.Type == "command_parameter":
				if option != "" {
					named[option] = true // a switch
				}
				option = strings.ToLower(kid.Text)
			case kid.Type == "variable" && strings.HasPrefix(kid.Text, "@"):
				for name, v := range s.get("$" + kid.Text[1:]).(hashtable) {
					named["-"+name] = v
				}
			case option == "-leaf" || option == "-assecurestring": // switches
				named[option], option = true, ""
				args = append(args, in.of(kid, s))
			case option != "":
				named[option], option = in.of(kid, s), ""
			default:
				args = append(args, in.of(kid, s))
			}
		}
	}
	if option != "" {
		named[option] = true
	}
	if f := in.functions[name]; f != nil {
		return in.function(f, args, named, s)
	}
	if command := in.commands[name]; command != nil {
		return command(s, piped, args, named)
	}
	switch name {
	case "&":
		var out []any
		inner := &scope{variables: map[string]any{}, caller: s, out: &out}
		if params := block.one("param_block"); params != nil {
			for i, p := range params.find("variable") {
				inner.set(p.Text, args[i])
			}
		}
		in.block(block.node, inner)
		return unrolled(out)
	case "Set-StrictMode":
		return nil
	case "Get-Service":
		return in.service
	case "ConvertFrom-Json":
		var v map[string]any
		if err := json.Unmarshal([]byte(text(piped)), &v); err != nil {
			panic(&exception{classes: []string{"ArgumentException"}, message: err.Error()})
		}
		o := &object{hashtable{}}
		for name, value := range v {
			if number, ok := value.(float64); ok {
				value = int64(number)
			}
			o.properties[strings.ToLower(name)] = value
		}
		return o
	case "ForEach-Object", "Where-Object":
		var kept []any
		for _, item := range list(piped) {
			s.set("$_", item)
			out := in.here(args[0].(scriptBlock), s)
			switch {
			case name == "ForEach-Object":
				kept = append(kept, out...)
			case len(out) == 1 && truth(out[0]):
				kept = append(kept, item)
			}
		}
		return kept
	case "Select-Object": // -First 1
		if all := list(piped); len(all) > 0 {
			return all[0]
		}
		return nil
	case "New-Object":
		args = append(args, list(named["-argumentlist"])...)
		return in.construct(text(args[0]), args[1:])
	}
	if v, known := in.files(name, args, named); known {
		return v
	}
	panic(fmt.Errorf("line %d: command %s", kids[0].Row, name))
}

func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return []any{}
	case []any:
		return v
	}
	return []any{v}
}

// construct makes an object of .NET.
func (in *interpreter) construct(class string, args []any) any {
	switch class {
	case "byte[]":
		return make([]byte, args[0].(int64))
	case "System.Management.Automation.PSCredential":
		return &object{hashtable{"username": args[0], "password": args[1]}}
	case "System.IO.EndOfStreamException":
		return ioError(class)
	case "System.Text.StringBuilder":
		var b strings.Builder
		return native(func(method string, args []any) any {
			switch method {
			case "append":
				b.WriteString(text(args[0]))
				return nil
			case "length":
				return int64(b.Len())
			}
			return b.String() // ToString
		})
	case "System.IO.Pipes.NamedPipeClientStream":
		return in.pipeClient(text(args[1]))
	case "System.IO.BufferedStream":
		return stream(bufio.NewReaderSize(args[0].(*pipeHandle), 64<<10))
	case "System.IO.StreamReader":
		return native(func(string, []any) any { // ReadToEnd
			var b bytes.Buffer
			one := make([]byte, 1)
			for args[0].(native)("read", []any{one, int64(0), int64(1)}).(int64) > 0 {
				b.Write(one)
			}
			return b.String()
		})
	}
	panic(fmt.Errorf("no class %s", class))
}

// A pipeHandle is a NamedPipeClientStream.
type pipeHandle struct {
	net.Conn
	native
}

func (in *interpreter) pipeClient(name string) *pipeHandle {
	p := &pipeHandle{}
	p.native = func(method string, args []any) any {
		switch method {
		case "connect":
			conn, err := in.dial(name)
			if err != nil {
				// What a method throws reaches the script in another one.
				var inner *exception
				if !errors.As(err, &inner) {
					panic(err)
				}
				panic(&exception{classes: []string{"MethodInvocationException"}, inner: inner})
			}
			p.Conn = conn
		case "write":
			if _, err := p.Conn.Write(args[0].([]byte)); err != nil {
				panic(ioError("System.IO.IOException"))
			}
		case "dispose":
			if p.Conn != nil {
				_ = p.Conn.Close()
			}
		}
		return nil
	}
	return p
}

// stream is a BufferedStream to read from. The end of a pipe is no error.
func stream(r *bufio.Reader) native {
	return func(method string, args []any) any {
		if method == "readbyte" {
			b, err := r.ReadByte()
			if err != nil {
				return int64(-1)
			}
			return int64(b)
		}
		n, err := r.Read(args[0].([]byte)[args[1].(int64):][:args[2].(int64)])
		if err != nil && !errors.Is(err, io.EOF) {
			return int64(0)
		}
		return int64(n)
	}
}

// expand puts values into a string.
func (in *interpreter) expand(n *node, s *scope) string {
	var b strings.Builder
	raw := n.Text[1 : len(n.Text)-1]
	next := 0
	for len(raw) > 0 {
		switch raw[0] {
		case '`':
			b.WriteString(map[byte]string{'r': "\r", 'n': "\n", '"': `"`}[raw[1]])
			raw = raw[2:]
		case '$':
			kid := n.Kids[next]
			next++
			b.WriteString(text(in.of(kid, s)))
			length := len(kid.Text)
			if length == 0 { // a node above the one that has it
				length = len(kid.source())
			}
			raw = raw[length:]
		default:
			b.WriteByte(raw[0])
			raw = raw[1:]
		}
	}
	return b.String()
}

func truth(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case int64:
		return v != 0
	case string:
		return v != ""
	}
	return true
}

func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return map[bool]string{true: "True", false: "False"}[v]
	case *errorRecord:
		return v.text
	case *object: // what catch has
		return v.properties["exception"].(*exception).message
	}
	panic(fmt.Errorf("no text of %T", v))
}

// unrolled is what a pipeline is worth: nothing, its one object, or all of them.
func unrolled(out []any) any {
	switch len(out) {
	case 0:
		return nil
	case 1:
		return out[0]
	}
	return out
}
