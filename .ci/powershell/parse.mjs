// Prints the syntax trees of PowerShell scripts as JSON, one a line. A node is
// {type, row, column, text} for a leaf and {type, row, column, kids} otherwise;
// bad is set where the grammar does not fit.
import {createRequire} from 'node:module';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';

// The packages stand in a directory of their own, the first argument.
const [modules, ...scripts] = process.argv.slice(2);
const require = createRequire(join(modules, 'package.json'));
const {Parser, Language} = require('web-tree-sitter');

function tree(node) {
	const at = {type: node.type, row: node.startPosition.row + 1, column: node.startPosition.column + 1};
	if (node.isError || node.isMissing) at.bad = true;
	if (node.childCount === 0) at.text = node.text;
	else at.kids = node.children.map(tree);
	return at;
}

await Parser.init();
const parser = new Parser();
parser.setLanguage(await Language.load(require.resolve('tree-sitter-powershell/tree-sitter-powershell.wasm')));
for (const script of scripts) {
	console.log(JSON.stringify(tree(parser.parse(readFileSync(script, 'utf8')).rootNode)));
}
