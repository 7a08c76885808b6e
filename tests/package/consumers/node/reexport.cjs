module.exports = require('layernorm');
