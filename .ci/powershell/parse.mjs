// Prints the syntax trees of PowerShell scripts as JSON, one a line. A node is
// {type, row, column, text} for a leaf and {type, row, column, kids} otherwise,
// with the text besides for strings in which something is put;
// bad is set where the grammar does not fit.
import {createRequire} from 'node:module';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';

// The packages stand in a directory of their own, the first argument.
const [modules, ...scripts] = process.argv.slice(2);
const require = createRequire(join(modules, 'package.json'));
const {Parser, Language} = require('web-tree-sitter');

const inString = ['expandable_string_literal', 'sub_expression'];

function tree(node) {
	const at = {type: node.type, row: node.startPosition.row + 1, column: node.startPosition.column + 1};
	if (node.isError || node.isMissing) at.bad = true;
	if (node.childCount > 0) at.kids = node.children.map(tree);
	// Of what is written in a string, the tree has only what is to be put into it.
	if (node.childCount === 0 || inString.includes(node.type)) at.text = node.text;
	return at;
}

await Parser.init();
const parser = new Parser();
parser.setLanguage(await Language.load(require.resolve('tree-sitter-powershell/tree-sitter-powershell.wasm')));
for (const script of scripts) {
	console.log(JSON.stringify(tree(parser.parse(readFileSync(script, 'utf8')).rootNode)));
}
