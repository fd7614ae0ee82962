#!/usr/bin/env bash
# Checks everything that ChatGPT asks a server for: the documents, and one real call over each surface.
# usage: scripts/test-chatgpt-endpoints.sh [URL]      (or MCP_SERVER_URL; http://localhost:3001 when neither is given)
# A server that wants a key gets the one in MCP_API_KEY; one that wants people to sign in, the access token in MCP_ACCESS_TOKEN.
# Needs bash, curl, grep and sed; uses jq when it is there. Ends with 0 when everything is right and 1 when something is not.
set -uo pipefail
export LC_ALL=C.UTF-8

URL=${1:-${MCP_SERVER_URL:-http://localhost:3001}}
URL=${URL%/}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0
warnings=0
key=()
secret=${MCP_ACCESS_TOKEN:-${MCP_API_KEY:-}}
if [[ -n $secret ]]; then
  # In a file, because whoever lists the processes can read a command line.
  printf 'Authorization: Bearer %s\n' "$secret" > "$dir/key"
  key=(--header "@$dir/key")
fi

good() { echo "✅ $1"; }

# bad TITLE WHAT CURE
bad() {
  failures=$((failures + 1))
  printf '❌ %s: %s\n   → %s\n' "$1" "$2" "$3"
}

# careful TITLE WHAT
careful() {
  warnings=$((warnings + 1))
  printf '⚠️  %s: %s\n' "$1" "$2"
}

# --- JSON -----------------------------------------------------------------------------------------------------------
# Both readers turn a document into lines such as `paths>/tools/checkout>post>operationId = checkout`, and fail when it is not JSON.

flatten_with_jq() {
  jq -r 'paths(type != "object" and type != "array") as $p
    | "\($p | map(tostring) | join(">")) = \(getpath($p) | if type == "string" then tojson[1:-1] else tojson end)"'
}

string='"([^"\\]|\\.)*"'
token="$string|-?[0-9]+(\\.[0-9]+)?([eE][-+]?[0-9]+)?|true|false|null|[][{}:,]"

flatten_without_jq() {
  local text want=value depth=0 path
  local -a close=() at=('') index=()
  text=$(cat)
  # What is left without the tokens must be nothing but space.
  [[ -z $(sed -E "s/$token//g" <<<"$text" | tr -d ' \t\r\n') ]] || return 1
  while IFS= read -r word; do
    path=${at[depth]}
    case $want$word in
      value*[{[] | value-or-end[{[])
        depth=$((depth + 1)) at[depth]=$path
        if [[ $word == '{' ]]; then close[depth]='}' want=key-or-end; else close[depth]=']' index[depth]=0 at[depth]=${path:+$path>}0 want=value-or-end; fi ;;
      key-or-end'}' | value-or-end']' | next[]}])
        [[ $depth -gt 0 && $word == "${close[depth]}" ]] || return 1
        depth=$((depth - 1)) want=next ;;
      key\"* | key-or-end\"*)
        path=${at[depth - 1]} word=${word:1:-1}
        at[depth]=${path:+$path>}$word want=colon ;;
      colon:) want=value ;;
      next,)
        [[ $depth -gt 0 ]] || return 1
        if [[ ${close[depth]} == '}' ]]; then want=key; else
          index[depth]=$((index[depth] + 1)) path=${at[depth - 1]}
          at[depth]=${path:+$path>}${index[depth]} want=value
        fi ;;
      value\"* | value-or-end\"*) echo "$path = ${word:1:-1}"; want=next ;;
      value[-0-9tfn]* | value-or-end[-0-9tfn]*) echo "$path = $word"; want=next ;;
      *) return 1 ;;
    esac
  done < <(grep -oE "$token" <<<"$text")
  [[ $depth == 0 && $want == next ]]
}

flatten() { if command -v jq >/dev/null; then flatten_with_jq; else flatten_without_jq; fi 2>/dev/null; }

# --- Asking ---------------------------------------------------------------------------------------------------------
# ask NAME PATH [curl options]: the status goes to $status, the body to $dir/NAME, its lines to $dir/NAME.flat (empty when it is not JSON).
ask() {
  local name=$1 path=$2
  shift 2
  status=$(curl --silent --show-error --max-time 30 --noproxy localhost,127.0.0.1,::1 --output "$dir/$name" --dump-header "$dir/$name.head" --write-out '%{http_code}' "$@" ${key[@]+"${key[@]}"} "$URL$path" 2>"$dir/curl")
  touch "$dir/$name"
  # MCP may answer with one event instead of a document.
  grep -q '^data: ' "$dir/$name" && sed -n 's/^data: //p' "$dir/$name" | tail -n 1 > "$dir/body" && mv "$dir/body" "$dir/$name"
  flatten < "$dir/$name" > "$dir/$name.flat" || : > "$dir/$name.flat"
}

# challenge NAME: what the last answer under that name said in WWW-Authenticate.
challenge() { sed -nE 's/^[Ww][Ww][Ww]-[Aa]uthenticate: //p' "$dir/$1.head" | tr -d '\r'; }

# get NAME PATH: one value of the last answer under that name.
get() { sed -n "\\|^$2 = |{s|||p;q;}" "$dir/$1.flat"; }

# values NAME REGEX: the values of all paths that match.
values() { sed -nE "s~^$2 = ~~p" "$dir/$1.flat"; }

# What the server said about a request that it refused.
said() {
  local detail
  detail=$(get "$1" detail)
  [[ $status == 000 ]] && sed 's/^curl: ([0-9]*) //' "$dir/curl" || echo "HTTP $status${detail:+, $detail}"
}

is_loopback() { [[ $1 =~ ^https?://(localhost|127\.[0-9.]+|\[::1\])([:/]|$) ]]; }

# --- The checks -----------------------------------------------------------------------------------------------------
echo "Checking $URL"

ask health /health
if [[ $status == 000 ]]; then
  bad "Health Check" "$(said health)" "start the server with scripts/run, or name the one that you mean: scripts/test-chatgpt-endpoints.sh http://localhost:3001"
  exit 1
fi
tools=$(values health 'tools>[0-9]+' | grep -c .)
if [[ $status != 200 || $(get health status) != healthy ]]; then
  bad "Health Check" "$(said health), and no word of being healthy" "if another program or a proxy answers at $URL, name the server's own address; otherwise its log says more"
  exit 1
elif [[ $tools == 0 ]]; then
  bad "Health Check" "the server has no tools" "look at the banner that it prints on start: a family without settings is off"
else
  good "Health Check"
fi

ask status /status
signs_in=$([[ $(challenge status) == *resource_metadata=* ]] && echo yes)
if [[ $status == 401 && $signs_in && ${#key[@]} != 0 ]]; then
  bad "Access Token" "$(said status)" "set MCP_ACCESS_TOKEN to one that the server issued and that has not expired"
  exit 1
elif [[ $status == 401 && -z $signs_in ]]; then
  if [[ ${#key[@]} == 0 ]]; then
    bad "API Key" "the server wants a key" "set MCP_API_KEY to it and run this again"
  else
    bad "API Key" "$(said status)" "set MCP_API_KEY to a key that the server knows"
  fi
  exit 1
fi
auth=$(get status auth)
auth=${auth:-oauth} # who has not signed in is not told more
mode=$(get status mode)
hint="the server's log says why"
[[ ${mode:-all} == all ]] || hint="the server was started with --mode $mode; start it with --mode all"

if [[ $auth == api-key ]]; then
  held=("${key[@]}") key=()
  ask closed /tools
  if [[ $status == 401 ]]; then
    good "API Key (calls without it are refused)"
  else
    bad "API Key" "HTTP $status for GET /tools without a key" "a proxy before the server must not add the key by itself"
  fi
  key=("${held[@]}")
fi

# oauth TITLE NAME PATH KEYS...: a document that is there exactly when there is authentication.
oauth() {
  local title=$1 name=$2 path=$3 key absent=()
  shift 3
  ask "$name" "$path"
  for key in "$@"; do
    [[ -n $(get "$name" "$key") ]] || absent+=("${key%>0}")
  done
  if [[ $auth == none || $auth == api-key ]]; then
    if [[ $status == 404 ]]; then
      good "$title (off: $([[ $auth == none ]] && echo "no authentication" || echo "keys, no OAuth"))"
    else
      bad "$title" "HTTP $status for $path although OAuth is off" "answer 404 there, also in a proxy before the server: a host that finds the document asks for a login"
    fi
  elif [[ $status != 200 ]]; then
    bad "$title" "$(said "$name") for $path" "let $path through to the server, without authentication"
  elif [[ ${#absent[@]} != 0 ]]; then
    bad "$title" "the document lacks ${absent[*]}" "set the OAuth settings that the README names"
  else
    good "$title"
  fi
}
if [[ $auth != none && $auth != api-key ]]; then
  held=(${key[@]+"${key[@]}"}) key=()
  ask closed /mcp --header 'Content-Type: application/json' --data '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
  key=(${held[@]+"${held[@]}"})
  metadata=$(challenge closed | sed -nE 's/.*resource_metadata="([^"]*)".*/\1/p')
  if [[ $status == 200 ]]; then
    good "OAuth Challenge (mixed: who has not signed in may read)"
    guests=yes
  elif [[ $status != 401 || -z $metadata ]]; then
    bad "OAuth Challenge" "HTTP $status for POST /mcp without a token, and WWW-Authenticate is '$(challenge closed)'" "let 401 and its header WWW-Authenticate through, also in a proxy before the server"
  else
    good "OAuth Challenge (401, metadata at $metadata)"
  fi
fi

oauth "OpenID Connect Discovery" openid /.well-known/openid-configuration issuer token_endpoint jwks_uri
oauth "OAuth Protected Resource Metadata" resource /.well-known/oauth-protected-resource resource 'authorization_servers>0'
if [[ $auth != none && $auth != api-key ]]; then
  title="OAuth Authorization Server Metadata"
  issuer=$(get resource 'authorization_servers>0') wrong=
  # Hosts were seen to ask at each of these places, and to give up at the first that is not there.
  for path in /.well-known/{oauth-authorization-server,openid-configuration}{,/mcp,/sse} /.well-known/oauth-protected-resource/{mcp,sse}; do
    ask place "$path"
    found=$(get place issuer)
    [[ $status == 200 && ${found:-$(get place 'authorization_servers>0')} == "$issuer" ]] || wrong+=" $path"
  done
  ask server /.well-known/oauth-authorization-server
  if [[ -n $wrong ]]; then
    bad "$title" "not there, or of another issuer than $issuer:$wrong" "let /.well-known/ through to the server, without authentication"
  elif [[ $(values server 'code_challenge_methods_supported>[0-9]+') != *S256* && $issuer != "$URL"* ]]; then
    good "$title (issuer $issuer)"
    careful "$title" "the identity provider's code_challenge_methods_supported lacks S256. Client credentials do not need it, so a GPT Action works; a ChatGPT connector needs MCP_AUTH_MODE=embedded"
  elif [[ $(values server 'code_challenge_methods_supported>[0-9]+') != *S256* ]]; then
    bad "$title" "code_challenge_methods_supported lacks S256, so ChatGPT takes the server for one that it cannot use" "use the embedded authorization server (MCP_AUTH_MODE=embedded), which has it"
  else
    good "$title (issuer $issuer)"
  fi
fi

# The document that a GPT Action imports, within the limits of GPT Actions.
check_openapi() {
  local title="OpenAPI Schema" ids expected operation text
  ask openapi /.well-known/openapi.json
  server=$(get openapi 'servers>0>url')
  if [[ $status != 200 ]]; then
    bad "$title" "$(said openapi)" "$hint"; return
  fi
  if [[ $(get openapi openapi) != 3.* ]]; then
    bad "$title" "this is no OpenAPI 3 document" "is it this server that answers at $URL, or a page of a proxy before it?"; return
  fi
  ids=$(values openapi 'paths>/tools/[^>]+>post>operationId')
  operations=$(grep -c . <<<"$ids")
  expected=$((tools > 30 ? 30 : tools))
  if [[ $operations != "$expected" ]]; then
    bad "$title" "$operations operations, but the server has $tools tools" "each tool needs POST /tools/NAME with an operationId; look into $URL/.well-known/openapi.json"; return
  fi
  if [[ -n $(sort <<<"$ids" | uniq -d) ]]; then
    bad "$title" "two operations are called $(sort <<<"$ids" | uniq -d | head -n 1)" "give every tool a name of its own"; return
  fi
  while IFS= read -r text; do
    operation=${text%%>post>*} text=$(sed -E 's/\\u[0-9a-fA-F]{4}|\\./?/g' <<<"${text#* = }")
    if [[ ${#text} -gt 300 ]]; then
      bad "$title" "the description of ${operation#paths>} has ${#text} characters" "a GPT Action takes at most 300: shorten the tool's [Description]"; return
    fi
  done < <(grep -E '^paths>/tools/[^>]+>post>(summary|description) = ' "$dir/openapi.flat")
  if [[ $server =~ ://(0\.0\.0\.0|\[::\]) ]]; then
    bad "$title" "it names the server $server, which is an address to listen on and not one to call" "set PUBLIC_URL to the https address that the world uses"; return
  fi
  if [[ $server != https://* ]] && ! is_loopback "$server"; then
    bad "$title" "it names the server ${server:-(none)}, and ChatGPT calls only https" "set PUBLIC_URL to the https address that the world uses"; return
  fi
  good "$title ($operations tools discovered)"
  if [[ $tools -gt 30 ]]; then
    careful "$title" "a GPT Action takes 30 operations, the server has $tools tools: import one document per profile (?profile=NAME)"
  fi
  if [[ $server != "$URL" ]] && ! { is_loopback "$server" && is_loopback "$URL"; }; then
    if is_loopback "$URL"; then
      careful "Public URL" "ChatGPT will call $server, as the documents say, and not $URL: check that address too"
    else
      careful "Public URL" "the documents name $server and not $URL: set PUBLIC_URL=$URL if ChatGPT is to call that"
    fi
  fi
}
check_openapi

ask plugin /.well-known/ai-plugin.json
manifest=$(get plugin 'api>url')
if [[ $status != 200 || $(get plugin schema_version) != v1 ]]; then
  bad "Actions Manifest" "$(said plugin), and no manifest of version v1" "$hint"
elif [[ $manifest != */.well-known/openapi.json || $manifest =~ ://(0\.0\.0\.0|\[::\]) ]]; then
  bad "Actions Manifest" "it names ${manifest:-no OpenAPI document}" "set PUBLIC_URL to the https address that the world uses"
else
  good "Actions Manifest"
fi

if [[ $auth != none && $auth != api-key && ${#key[@]} == 0 && -z ${guests:-} ]]; then
  careful "Calls" "none was tried, because the server wants people to sign in: set MCP_ACCESS_TOKEN to an access token"
  [[ $failures == 0 ]] && echo "The documents by which ChatGPT signs in are there."
  exit $((failures > 0))
fi

json=(--header 'Content-Type: application/json')
mcp=("${json[@]}" --header 'Accept: application/json, text/event-stream')

# rpc TITLE NAME PATH JSON PATH_OF_A_VALUE_THAT_MUST_BE_THERE: one JSON-RPC call; tells what is wrong, and succeeds when nothing is.
rpc() {
  ask "$2" "$3" "${mcp[@]}" --data "$4"
  if [[ $status != 200 ]]; then
    bad "$1" "$(said "$2") for POST $3" "$hint"
  elif [[ -n $(get "$2" 'error>message') ]]; then
    bad "$1" "$(get "$2" 'error>message')" "the server's log says more"
  elif [[ $(get "$2" 'result>isError') == true ]]; then
    bad "$1" "$(get "$2" 'result>content>0>text')" "mend what the sentence says"
  elif [[ -z $(get "$2" "$5") ]]; then
    bad "$1" "the answer has no ${5//>/.}" "is it this server that answers at $URL$3?"
  else
    return 0
  fi
  return 1
}

rpc "MCP Initialize" initialize /mcp '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test-chatgpt-endpoints","version":"1"}}}' 'result>protocolVersion' &&
  good "MCP Initialize (revision $(get initialize 'result>protocolVersion'))"

if rpc "MCP Tool List" list /mcp '{"jsonrpc":"2.0","id":2,"method":"tools/list"}' 'result>tools>0>name'; then
  listed=$(values list 'result>tools>[0-9]+>name' | grep -c .)
  if [[ $listed == "$tools" ]]; then
    good "MCP Tool List ($listed tools)"
  elif [[ $listed -lt $tools && $auth != none ]]; then
    good "MCP Tool List ($listed of $tools tools, as the scopes of the credential allow)"
  else
    bad "MCP Tool List" "$listed tools, but /health names $tools" "both come from one list; is another server answering for /mcp?"
  fi
fi

# A tool that may be called without asking anybody: a well-known one, or the first that only reads and needs no argument.
tool=search_products arguments='{"query":"milk"}'
if ! values health 'tools>[0-9]+' | grep -qx "$tool"; then
  arguments='{}'
  tool=$(sed -nE 's~^paths>/tools/([^>]+)>post>x-openai-isConsequential = false~\1~p' "$dir/openapi.flat" | while IFS= read -r name; do
    [[ $(get openapi "paths>/tools/$name>post>requestBody>required") == true ]] || { echo "$name"; break; }
  done)
fi
if [[ -z $tool ]]; then # with --mode sse there is no document, but MCP's own list
  tool=$(sed -nE 's~^result>tools>([0-9]+)>annotations>readOnlyHint = true~\1~p' "$dir/list.flat" | while IFS= read -r number; do
    [[ -n $(get list "result>tools>$number>inputSchema>required>0") ]] || { get list "result>tools>$number>name"; break; }
  done)
fi

if [[ -z $tool ]]; then
  careful "Tool Call" "no tool only reads and needs no argument, so none was called"
else
  rpc "MCP Tool Call" call /mcp "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":{\"name\":\"$tool\",\"arguments\":$arguments}}" 'result>content>0>type' &&
    good "MCP Tool Call ($tool)"

  ask rest "/tools/$tool" "${json[@]}" --data "$arguments"
  if [[ $status != 200 ]]; then
    bad "REST Tool Call" "$(said rest) for POST /tools/$tool" "$hint"
  elif [[ ! -s $dir/rest.flat ]]; then
    bad "REST Tool Call" "the answer of POST /tools/$tool is empty or not JSON" "is it this server that answers at $URL?"
  else
    good "REST Tool Call (POST /tools/$tool)"
  fi
fi

ask functions /api/mcp/v1/tools
functions=$(values functions 'tools>[0-9]+>name' | grep -c .)
if [[ $status != 200 ]]; then
  bad "Function Calling" "$(said functions) for GET /api/mcp/v1/tools" "$hint"
elif [[ $functions -lt $tools && $auth != none && $(get functions count) == "$functions" ]]; then
  good "Function Calling ($functions of $tools functions, as the scopes of the credential allow)"
elif [[ $functions != "$tools" || $(get functions count) != "$tools" ]]; then
  bad "Function Calling" "$functions functions, but the server has $tools tools" "both come from one list; is another server answering for /api/mcp/v1/tools?"
else
  good "Function Calling ($functions functions)"
fi

if [[ $failures != 0 ]]; then
  echo "$failures of the checks failed."
  exit 1
fi
echo "Everything that ChatGPT asks for is there.$([[ $warnings == 0 ]] || echo " Mind the warning above.")"
