// What --help prints. The examples are run by tests/package/cli.test.mjs.

const READING = `\
Which rows:
  --rows <a:b>          rows a up to b, without b; or i/n, not of CSV: part i, from 0, of n
  --tensor <name>       of a .safetensors file, where it holds several of floats
  --header, --no-header whether the first record of a CSV names the columns (found out by default)
  --columns <list>      of a CSV, the columns of numbers to take: names, or positions from 1, as in
                        sepal_length,3-4 (default: all that hold a number in the first row)
  --delimiter <char>    of a CSV: one character, or tab (default: comma, semicolon or tab, as found)
`;

const GENERAL = `\
  -q, --quiet           no progress
  -h, --help
`;

const WRITING = `\
  -f, --force           replace the output if it is there
`;

export const PROGRAM_HELP = `\
Usage: layernorm <command> [options]

Layer normalization and its family on files of any size, a block of rows at a time.

Commands:
  normalize <input> -o <output>   normalize the rows of a .npy, .safetensors or CSV file
  moments <input>                 count, mean and variance of each feature
  merge <moments>...              the moments of all rows from those of parts
  info <file>                     what is in a file

Options:
  -h, --help            also after a command: layernorm normalize --help
  -V, --version

Exit codes: 0 done, 1 failed, 2 the command line makes no sense, 130 ended by Ctrl-C, 143 by SIGTERM.
A file is there as a whole or not at all, whatever the end.

Examples:
  layernorm info embeddings.npy
  layernorm normalize embeddings.npy -o normalized.npy
  layernorm moments embeddings.npy
`;

export const NORMALIZE_HELP = `\
Usage: layernorm normalize <input> -o <output> [options]

Normalizes the rows of a .npy, .safetensors or CSV file, a block at a time. The output has the format of the
input; - stands for stdin and stdout. Of a .safetensors file the other tensors, of a CSV the other columns are
kept as they are.

  -o, --output <file>   where to write: needed
  -m, --method <name>   layer (default), rms, unit, instance, group or batch
  --axis <list>         the axes that are normalized together: any but 0, such as -1 (default) or 1,2. For the methods
                        instance, group and batch the axis of the channels
  --epsilon <number>    default: 1e-3 as Keras has it; rms 1e-6, unit 1e-12
  --groups <n>          of --method group: default 32
  --gamma <file>        scale, from a .npy or CSV file, or weights.safetensors:name
  --beta <file>         offset, likewise
  --moments <file>      of --method batch: the statistics that moments or merge wrote (default: those of the rows,
                        which are read twice then)
  --dtype <type>        of the output: float16, bfloat16, float32 or float64 (default: that of the input; float32
                        for integers, float64 for CSV)
  --only                of a .safetensors file: leave the other tensors out
  --threads <n>         1 (default) to 32, or auto
${WRITING}${READING}
  --json                print a summary, on stderr with -o -
${GENERAL}
Examples:
  layernorm normalize embeddings.npy -o layer.npy
  layernorm normalize embeddings.npy -o unit.npy --method unit --dtype float16
  layernorm normalize images.npy -o images-norm.npy --method group --axis 1 --groups 4
  layernorm normalize model.safetensors -o model-norm.safetensors --tensor embeddings --gamma model.safetensors:gamma
  layernorm normalize flowers.csv -o flowers-norm.csv --method batch --columns 1-4
  layernorm normalize - -o - --method rms < embeddings.npy > rms.npy
`;

export const MOMENTS_HELP = `\
Usage: layernorm moments <input> [-o <file>] [options]

Count, mean and biased variance of each feature over all rows, as JSON. With -o, what merge and normalize
--moments read; as JSON if the name ends with .json. Moments of parts merge to those of the whole, to the last
bit but for rare ties.

  -o, --output <file>   where to write, - for stdout
  --axis <list>         the axes that keep statistics of their own (default: -1), or none for one mean of everything
  --json                as JSON, whatever the name of the output
${WRITING}${READING}
${GENERAL}
Examples:
  layernorm moments embeddings.npy
  layernorm moments embeddings.npy --rows 0/2 -o part-0.moments
  layernorm moments embeddings.npy --rows 1/2 -o part-1.moments
`;

export const MERGE_HELP = `\
Usage: layernorm merge <moments>... [-o <file>] [options]

Moments of all rows, from those of parts, in any order.

  -o, --output <file>   where to write, - for stdout (default: JSON, on stdout)
  --json                as JSON, whatever the name of the output
${WRITING}${GENERAL}
Examples:
  layernorm merge part-0.moments part-1.moments
  layernorm merge part-0.moments part-1.moments -o all.moments
  layernorm normalize embeddings.npy --rows 0/2 --method batch --moments all.moments -o normalized-0.npy
`;

export const INFO_HELP = `\
Usage: layernorm info <file> [options]

Format, types and shapes of a .npy, .safetensors, CSV or moments file.

  --header, --no-header whether the first record of a CSV names the columns (found out by default)
  --delimiter <char>    of a CSV
  --json                for programs
  -h, --help

Examples:
  layernorm info model.safetensors
  layernorm info flowers.csv
  layernorm info embeddings.npy --json
`;
