/* test_listing.c - directories as pages: nginx 1.22's bytes for its formats, but that XML and JSON
 * are well-formed whatever names are made of; and the page of our own. */
#include "unit.h"

#include "conf/parse.h"
#include "http/listing/listing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* clang-format off */
static const struct {
    const char *name;
    enum { DIRECTORY, FILE_, FIFO, LINK } kind;
    off_t size;
    time_t mtime;
} made[] = {
    {"dir", DIRECTORY, 0, 1700000000},
    {"Dir2", DIRECTORY, 0, 0},
    {"d<i>r & \"q\"", DIRECTORY, 0, 951827696},
    {"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee", DIRECTORY, 0, 1700000000},
    {"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee", DIRECTORY, 0, 1700000000},
    {"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee", DIRECTORY, 0, 1700000000},
    {"a", FILE_, 0, 1000000000},
    {"b c", FILE_, 1, 1002566080},
    {"q\"uote", FILE_, 999, 1005132160},
    {"ap'os", FILE_, 1000, 1007698240},
    {"lt<gt>", FILE_, 1023, 1010264320},
    {"am&p", FILE_, 1024, 1012830400},
    {"pct%20", FILE_, 9999, 1015396480},
    {"q?m", FILE_, 10000, 1017962560},
    {"ha#sh", FILE_, 10239, 1020528640},
    {"co:lon", FILE_, 10240, 1023094720},
    {"caf\xc3\xa9", FILE_, 10751, 1025660800},
    {"\xe6\x97\xa5\xe6\x9c\xac", FILE_, 10752, 1028226880},
    {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", FILE_, 1048575, 1030792960},
    {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", FILE_, 1048576, 1033359040},
    {"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy", FILE_, 1572863, 1035925120},
    {"<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<", FILE_, 1572864, 1038491200},
    {"plus+;=@~!$(*,[\\{|`^", FILE_, 1073741823, 1041057280},
    {"UPPER", FILE_, 1073741824, 1043623360},
    {"-dash", FILE_, 5905580031, 1046189440},
    {"_u", FILE_, 5905580032, 1048755520},
    {"new\nline\t\x01\x1f\x0b\x7f", FILE_, 5, 1051321600},
    {"bad\xff", FILE_, 7, 1053887680},
    {"10", FILE_, 2, 4102444799},
    {"9", FILE_, 3, 0},
    {".hidden", FILE_, 3, 0},
    {"fifo", FIFO, 0, 1700000000},
    {"link", LINK, 0, 0},
};

static const char plain_exact[] =
    "<html>\r\n"
    "<head><title>Index of /t&lt;&amp;&gt;&quot;/</title></head>\r\n"
    "<body>\r\n"
    "<h1>Index of /t&lt;&amp;&gt;&quot;/</h1><hr><pre><a href=\"../\">../</a>\r\n"
    "<a href=\"Dir2/\">Dir2/</a>                                              01-Jan-1970 00:00          "
    "         -\r\n"
    "<a href=\"d%3Ci%3Er%20%26%20%22q%22/\">d&lt;i&gt;r &amp; &quot;q&quot;/</a>                         "
    "              29-Feb-2000 12:34                   -\r\n"
    "<a href=\"dir/\">dir/</a>                                               14-Nov-2023 22:13           "
    "        -\r\n"
    "<a href=\"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee/\">eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
    "eeeeeeeeeeee/</a> 14-Nov-2023 22:13                   -\r\n"
    "<a href=\"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee/\">eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
    "eeeeeeeeeeeeee</a> 14-Nov-2023 22:13                   -\r\n"
    "<a href=\"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee/\">eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
    "eeeeeeeeeeee..&gt;</a> 14-Nov-2023 22:13                   -\r\n"
    "<a href=\"link/\">link/</a>                                              14-Nov-2023 22:13          "
    "         -\r\n"
    "<a href=\"-dash\">-dash</a>                                              25-Feb-2003 16:10          "
    "5905580031\r\n"
    "<a href=\"10\">10</a>                                                 31-Dec-2099 23:59             "
    "      2\r\n"
    "<a href=\"9\">9</a>                                                  01-Jan-1970 00:00              "
    "     3\r\n"
    "<a href=\"%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C"
    "%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C\">&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&l"
    "t;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&l"
    "t;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;..&gt;</a> 28-Nov-2002 13:46             15728"
    "64\r\n"
    "<a href=\"UPPER\">UPPER</a>                                              26-Jan-2003 23:22          "
    "1073741824\r\n"
    "<a href=\"_u\">_u</a>                                                 27-Mar-2003 08:58          590"
    "5580032\r\n"
    "<a href=\"a\">a</a>                                                  09-Sep-2001 01:46              "
    "     0\r\n"
    "<a href=\"am%26p\">am&amp;p</a>                                               04-Feb-2002 13:46     "
    "           1024\r\n"
    "<a href=\"ap%27os\">ap'os</a>                                              07-Dec-2001 04:10        "
    "        1000\r\n"
    "<a href=\"b%20c\">b c</a>                                                08-Oct-2001 18:34          "
    "         1\r\n"
    "<a href=\"bad%FF\">bad\xff</a>                                               25-May-2003 18:34      "
    "             7\r\n"
    "<a href=\"caf%C3%A9\">caf\xc3\xa9</a>                                              03-Jul-2002 01:46"
    "               10751\r\n"
    "<a href=\"co%3Alon\">co:lon</a>                                             03-Jun-2002 08:58       "
    "        10240\r\n"
    "<a href=\"fifo\">fifo</a>                                               14-Nov-2023 22:13           "
    "        0\r\n"
    "<a href=\"ha%23sh\">ha#sh</a>                                              04-May-2002 16:10        "
    "       10239\r\n"
    "<a href=\"lt%3Cgt%3E\">lt&lt;gt&gt;</a>                                             05-Jan-2002 20:5"
    "8                1023\r\n"
    "<a href=\"new%0Aline%09%01%1F%0B%7F\">new\n"
    "line\t\x01\x1f\x0b\x7f</a>                                      26-Apr-2003 01:46                   5\r\n"
    "<a href=\"pct%2520\">pct%20</a>                                             06-Mar-2002 06:34       "
    "         9999\r\n"
    "<a href=\"plus%2B%3B%3D%40~%21%24%28%2A%2C%5B%5C%7B%7C%60%5E\">plus+;=@~!$(*,[\\{|`^</a>            "
    "                   28-Dec-2002 06:34          1073741823\r\n"
    "<a href=\"q%22uote\">q&quot;uote</a>                                             07-Nov-2001 11:22  "
    "               999\r\n"
    "<a href=\"q%3Fm\">q?m</a>                                                04-Apr-2002 23:22          "
    "     10000\r\n"
    "<a href=\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\">xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    "xxxxxxxxxxx</a>  31-Aug-2002 11:22             1048575\r\n"
    "<a href=\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\">xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    "xxxxxxxxxxxxx</a> 30-Sep-2002 04:10             1048576\r\n"
    "<a href=\"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\">yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
    "yyyyyyyyyyy..&gt;</a> 29-Oct-2002 20:58             1572863\r\n"
    "<a href=\"%E6%97%A5%E6%9C%AC\">\xe6\x97\xa5\xe6\x9c\xac</a>                                         "
    "    01-Aug-2002 18:34               10752\r\n"
    "</pre><hr></body>\r\n"
    "</html>\r\n";

static const char plain_rounded[] =
    "<html>\r\n"
    "<head><title>Index of /t&lt;&amp;&gt;&quot;/</title></head>\r\n"
    "<body>\r\n"
    "<h1>Index of /t&lt;&amp;&gt;&quot;/</h1><hr><pre><a href=\"../\">../</a>\r\n"
    "<a href=\"Dir2/\">Dir2/</a>                                              01-Jan-1970 00:00       -\r\n"
    "<a href=\"d%3Ci%3Er%20%26%20%22q%22/\">d&lt;i&gt;r &amp; &quot;q&quot;/</a>                         "
    "              29-Feb-2000 12:34       -\r\n"
    "<a href=\"dir/\">dir/</a>                                               14-Nov-2023 22:13       -\r\n"
    "<a href=\"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee/\">eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
    "eeeeeeeeeeee/</a> 14-Nov-2023 22:13       -\r\n"
    "<a href=\"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee/\">eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
    "eeeeeeeeeeeeee</a> 14-Nov-2023 22:13       -\r\n"
    "<a href=\"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee/\">eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
    "eeeeeeeeeeee..&gt;</a> 14-Nov-2023 22:13       -\r\n"
    "<a href=\"link/\">link/</a>                                              14-Nov-2023 22:13       -\r\n"
    "<a href=\"-dash\">-dash</a>                                              25-Feb-2003 16:10      5G\r\n"
    "<a href=\"10\">10</a>                                                 31-Dec-2099 23:59       2\r\n"
    "<a href=\"9\">9</a>                                                  01-Jan-1970 00:00       3\r\n"
    "<a href=\"%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C"
    "%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C%3C\">&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&l"
    "t;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&l"
    "t;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;..&gt;</a> 28-Nov-2002 13:46      2M\r\n"
    "<a href=\"UPPER\">UPPER</a>                                              26-Jan-2003 23:22      1G\r\n"
    "<a href=\"_u\">_u</a>                                                 27-Mar-2003 08:58      6G\r\n"
    "<a href=\"a\">a</a>                                                  09-Sep-2001 01:46       0\r\n"
    "<a href=\"am%26p\">am&amp;p</a>                                               04-Feb-2002 13:46    1"
    "024\r\n"
    "<a href=\"ap%27os\">ap'os</a>                                              07-Dec-2001 04:10    1000\r\n"
    "<a href=\"b%20c\">b c</a>                                                08-Oct-2001 18:34       1\r\n"
    "<a href=\"bad%FF\">bad\xff</a>                                               25-May-2003 18:34      "
    " 7\r\n"
    "<a href=\"caf%C3%A9\">caf\xc3\xa9</a>                                              03-Jul-2002 01:46"
    "     10K\r\n"
    "<a href=\"co%3Alon\">co:lon</a>                                             03-Jun-2002 08:58     10K\r\n"
    "<a href=\"fifo\">fifo</a>                                               14-Nov-2023 22:13       0\r\n"
    "<a href=\"ha%23sh\">ha#sh</a>                                              04-May-2002 16:10     10K\r\n"
    "<a href=\"lt%3Cgt%3E\">lt&lt;gt&gt;</a>                                             05-Jan-2002 20:5"
    "8    1023\r\n"
    "<a href=\"new%0Aline%09%01%1F%0B%7F\">new\n"
    "line\t\x01\x1f\x0b\x7f</a>                                      26-Apr-2003 01:46       5\r\n"
    "<a href=\"pct%2520\">pct%20</a>                                             06-Mar-2002 06:34    9999\r\n"
    "<a href=\"plus%2B%3B%3D%40~%21%24%28%2A%2C%5B%5C%7B%7C%60%5E\">plus+;=@~!$(*,[\\{|`^</a>            "
    "                   28-Dec-2002 06:34   1024M\r\n"
    "<a href=\"q%22uote\">q&quot;uote</a>                                             07-Nov-2001 11:22  "
    "   999\r\n"
    "<a href=\"q%3Fm\">q?m</a>                                                04-Apr-2002 23:22     10K\r\n"
    "<a href=\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\">xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    "xxxxxxxxxxx</a>  31-Aug-2002 11:22   1024K\r\n"
    "<a href=\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\">xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    "xxxxxxxxxxxxx</a> 30-Sep-2002 04:10      1M\r\n"
    "<a href=\"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\">yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
    "yyyyyyyyyyy..&gt;</a> 29-Oct-2002 20:58      1M\r\n"
    "<a href=\"%E6%97%A5%E6%9C%AC\">\xe6\x97\xa5\xe6\x9c\xac</a>                                         "
    "    01-Aug-2002 18:34     11K\r\n"
    "</pre><hr></body>\r\n"
    "</html>\r\n";

static const char xml[] =
    "<?xml version=\"1.0\"?>\r\n"
    "<list>\r\n"
    "<directory mtime=\"1970-01-01T00:00:00Z\">Dir2</directory>\r\n"
    "<directory mtime=\"2000-02-29T12:34:56Z\">d&lt;i&gt;r &amp; &quot;q&quot;</directory>\r\n"
    "<directory mtime=\"2023-11-14T22:13:20Z\">dir</directory>\r\n"
    "<directory mtime=\"2023-11-14T22:13:20Z\">eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee</directo"
    "ry>\r\n"
    "<directory mtime=\"2023-11-14T22:13:20Z\">eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee</direct"
    "ory>\r\n"
    "<directory mtime=\"2023-11-14T22:13:20Z\">eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee</direc"
    "tory>\r\n"
    "<directory mtime=\"2023-11-14T22:13:20Z\">link</directory>\r\n"
    "<file mtime=\"2003-02-25T16:10:40Z\" size=\"5905580031\">-dash</file>\r\n"
    "<file mtime=\"2099-12-31T23:59:59Z\" size=\"2\">10</file>\r\n"
    "<file mtime=\"1970-01-01T00:00:00Z\" size=\"3\">9</file>\r\n"
    "<file mtime=\"2002-11-28T13:46:40Z\" size=\"1572864\">&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&l"
    "t;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&l"
    "t;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;</file>\r\n"
    "<file mtime=\"2003-01-26T23:22:40Z\" size=\"1073741824\">UPPER</file>\r\n"
    "<file mtime=\"2003-03-27T08:58:40Z\" size=\"5905580032\">_u</file>\r\n"
    "<file mtime=\"2001-09-09T01:46:40Z\" size=\"0\">a</file>\r\n"
    "<file mtime=\"2002-02-04T13:46:40Z\" size=\"1024\">am&amp;p</file>\r\n"
    "<file mtime=\"2001-12-07T04:10:40Z\" size=\"1000\">ap'os</file>\r\n"
    "<file mtime=\"2001-10-08T18:34:40Z\" size=\"1\">b c</file>\r\n"
    "<file mtime=\"2003-05-25T18:34:40Z\" size=\"7\">bad\xef\xbf\xbd</file>\r\n"
    "<file mtime=\"2002-07-03T01:46:40Z\" size=\"10751\">caf\xc3\xa9</file>\r\n"
    "<file mtime=\"2002-06-03T08:58:40Z\" size=\"10240\">co:lon</file>\r\n"
    "<other mtime=\"2023-11-14T22:13:20Z\">fifo</other>\r\n"
    "<file mtime=\"2002-05-04T16:10:40Z\" size=\"10239\">ha#sh</file>\r\n"
    "<file mtime=\"2002-01-05T20:58:40Z\" size=\"1023\">lt&lt;gt&gt;</file>\r\n"
    "<file mtime=\"2003-04-26T01:46:40Z\" size=\"5\">new\n"
    "line\t\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\x7f</file>\r\n"
    "<file mtime=\"2002-03-06T06:34:40Z\" size=\"9999\">pct%20</file>\r\n"
    "<file mtime=\"2002-12-28T06:34:40Z\" size=\"1073741823\">plus+;=@~!$(*,[\\{|`^</file>\r\n"
    "<file mtime=\"2001-11-07T11:22:40Z\" size=\"999\">q&quot;uote</file>\r\n"
    "<file mtime=\"2002-04-04T23:22:40Z\" size=\"10000\">q?m</file>\r\n"
    "<file mtime=\"2002-08-31T11:22:40Z\" size=\"1048575\">xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    "xxx</file>\r\n"
    "<file mtime=\"2002-09-30T04:10:40Z\" size=\"1048576\">xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    "xxxx</file>\r\n"
    "<file mtime=\"2002-10-29T20:58:40Z\" size=\"1572863\">yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
    "yyyyy</file>\r\n"
    "<file mtime=\"2002-08-01T18:34:40Z\" size=\"10752\">\xe6\x97\xa5\xe6\x9c\xac</file>\r\n"
    "</list>\r\n";

static const char json[] =
    "[\r\n"
    "{ \"name\":\"Dir2\", \"type\":\"directory\", \"mtime\":\"Thu, 01 Jan 1970 00:00:00 GMT\" },\r\n"
    "{ \"name\":\"d<i>r & \\\"q\\\"\", \"type\":\"directory\", \"mtime\":\"Tue, 29 Feb 2000 12:34:56 GMT"
    "\" },\r\n"
    "{ \"name\":\"dir\", \"type\":\"directory\", \"mtime\":\"Tue, 14 Nov 2023 22:13:20 GMT\" },\r\n"
    "{ \"name\":\"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee\", \"type\":\"directory\", \"mtime"
    "\":\"Tue, 14 Nov 2023 22:13:20 GMT\" },\r\n"
    "{ \"name\":\"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee\", \"type\":\"directory\", \"mtime"
    "\":\"Tue, 14 Nov 2023 22:13:20 GMT\" },\r\n"
    "{ \"name\":\"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee\", \"type\":\"directory\", \"mtime"
    "\":\"Tue, 14 Nov 2023 22:13:20 GMT\" },\r\n"
    "{ \"name\":\"link\", \"type\":\"directory\", \"mtime\":\"Tue, 14 Nov 2023 22:13:20 GMT\" },\r\n"
    "{ \"name\":\"-dash\", \"type\":\"file\", \"mtime\":\"Tue, 25 Feb 2003 16:10:40 GMT\", \"size\":59055"
    "80031 },\r\n"
    "{ \"name\":\"10\", \"type\":\"file\", \"mtime\":\"Thu, 31 Dec 2099 23:59:59 GMT\", \"size\":2 },\r\n"
    "{ \"name\":\"9\", \"type\":\"file\", \"mtime\":\"Thu, 01 Jan 1970 00:00:00 GMT\", \"size\":3 },\r\n"
    "{ \"name\":\"<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<\", \"type\":\"file\", \"mtime"
    "\":\"Thu, 28 Nov 2002 13:46:40 GMT\", \"size\":1572864 },\r\n"
    "{ \"name\":\"UPPER\", \"type\":\"file\", \"mtime\":\"Sun, 26 Jan 2003 23:22:40 GMT\", \"size\":10737"
    "41824 },\r\n"
    "{ \"name\":\"_u\", \"type\":\"file\", \"mtime\":\"Thu, 27 Mar 2003 08:58:40 GMT\", \"size\":59055800"
    "32 },\r\n"
    "{ \"name\":\"a\", \"type\":\"file\", \"mtime\":\"Sun, 09 Sep 2001 01:46:40 GMT\", \"size\":0 },\r\n"
    "{ \"name\":\"am&p\", \"type\":\"file\", \"mtime\":\"Mon, 04 Feb 2002 13:46:40 GMT\", \"size\":1024 },\r\n"
    "{ \"name\":\"ap'os\", \"type\":\"file\", \"mtime\":\"Fri, 07 Dec 2001 04:10:40 GMT\", \"size\":1000 "
    "},\r\n"
    "{ \"name\":\"b c\", \"type\":\"file\", \"mtime\":\"Mon, 08 Oct 2001 18:34:40 GMT\", \"size\":1 },\r\n"
    "{ \"name\":\"bad\\uFFFD\", \"type\":\"file\", \"mtime\":\"Sun, 25 May 2003 18:34:40 GMT\", \"size\":7 },\r\n"
    "{ \"name\":\"caf\xc3\xa9\", \"type\":\"file\", \"mtime\":\"Wed, 03 Jul 2002 01:46:40 GMT\", \"size"
    "\":10751 },\r\n"
    "{ \"name\":\"co:lon\", \"type\":\"file\", \"mtime\":\"Mon, 03 Jun 2002 08:58:40 GMT\", \"size\":1024"
    "0 },\r\n"
    "{ \"name\":\"fifo\", \"type\":\"other\", \"mtime\":\"Tue, 14 Nov 2023 22:13:20 GMT\" },\r\n"
    "{ \"name\":\"ha#sh\", \"type\":\"file\", \"mtime\":\"Sat, 04 May 2002 16:10:40 GMT\", \"size\":10239"
    " },\r\n"
    "{ \"name\":\"lt<gt>\", \"type\":\"file\", \"mtime\":\"Sat, 05 Jan 2002 20:58:40 GMT\", \"size\":1023"
    " },\r\n"
    "{ \"name\":\"new\\nline\\t\\u0001\\u001F\\u000B\x7f\", \"type\":\"file\", \"mtime\":\"Sat, 26 Apr 20"
    "03 01:46:40 GMT\", \"size\":5 },\r\n"
    "{ \"name\":\"pct%20\", \"type\":\"file\", \"mtime\":\"Wed, 06 Mar 2002 06:34:40 GMT\", \"size\":9999"
    " },\r\n"
    "{ \"name\":\"plus+;=@~!$(*,[\\\\{|`^\", \"type\":\"file\", \"mtime\":\"Sat, 28 Dec 2002 06:34:40 GMT"
    "\", \"size\":1073741823 },\r\n"
    "{ \"name\":\"q\\\"uote\", \"type\":\"file\", \"mtime\":\"Wed, 07 Nov 2001 11:22:40 GMT\", \"size\":9"
    "99 },\r\n"
    "{ \"name\":\"q?m\", \"type\":\"file\", \"mtime\":\"Thu, 04 Apr 2002 23:22:40 GMT\", \"size\":10000 },\r\n"
    "{ \"name\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\", \"type\":\"file\", \"mtime\":\"Sat"
    ", 31 Aug 2002 11:22:40 GMT\", \"size\":1048575 },\r\n"
    "{ \"name\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\", \"type\":\"file\", \"mtime\":\"Mo"
    "n, 30 Sep 2002 04:10:40 GMT\", \"size\":1048576 },\r\n"
    "{ \"name\":\"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\", \"type\":\"file\", \"mtime"
    "\":\"Tue, 29 Oct 2002 20:58:40 GMT\", \"size\":1572863 },\r\n"
    "{ \"name\":\"\xe6\x97\xa5\xe6\x9c\xac\", \"type\":\"file\", \"mtime\":\"Thu, 01 Aug 2002 18:34:40 GM"
    "T\", \"size\":10752 }\r\n"
    "]";
/* clang-format on */

static struct buffer page;

static void setup(void)
{
    buffer_init(&page);
}

static void teardown(void)
{
    buffer_fini(&page);
}

static const char *make(void)
{
    const char *dir = unit_dir();
    int at = open(dir, O_RDONLY | O_DIRECTORY);
    ck_assert_int_ge(at, 0);
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        const char *name = made[i].name;
        int rc = 0;
        if (made[i].kind == DIRECTORY)
            rc = mkdirat(at, name, 0700);
        else if (made[i].kind == FIFO)
            rc = mkfifoat(at, name, 0600);
        else if (made[i].kind == LINK)
            rc = symlinkat("dir", at, name);
        else {
            int fd = openat(at, name, O_CREAT | O_WRONLY, 0600);
            rc = fd < 0 ? -1 : ftruncate(fd, made[i].size);
            close(fd);
        }
        ck_assert_msg(rc == 0, "%s: %s", name, strerror(errno));
        struct timespec times[2] = {{made[i].mtime, 0}, {made[i].mtime, 0}};
        if (made[i].kind != LINK)
            ck_assert_int_eq(utimensat(at, name, times, 0), 0);
    }
    close(at);
    return dir;
}

static bool in_utf8;

static const char *print_for(const char *dir, struct listing_conf conf, const char *uri, const char *callback)
{
    buffer_fini(&page);
    buffer_init(&page);
    struct listing_want want = {text_of(uri), &conf, text_of(callback), in_utf8};
    ck_assert_int_eq(listing_print(dir, &want, NULL, NULL, &page), 0);
    buffer_add_char(&page, '\0');
    return page.data;
}

static void is_page(const char *dir, struct listing_conf conf, const char *expected)
{
    const char *got = print_for(dir, conf, "/t<&>\"/", NULL);
    size_t at = 0;
    while (got[at] && got[at] == expected[at])
        at++;
    while (at > 0 && got[at - 1] != '\n')
        at--;
    ck_assert_msg(!strcmp(got, expected), "got      %.300s\nexpected %.300s", got + at, expected + at);
}

START_TEST(test_as_nginx)
{
    const char *dir = make();
    is_page(dir, (struct listing_conf){.exact_size = true}, plain_exact);
    is_page(dir, (struct listing_conf){.exact_size = false}, plain_rounded);
    is_page(dir, (struct listing_conf){.format = LISTING_XML}, xml);
    is_page(dir, (struct listing_conf){.format = LISTING_JSON}, json);
    is_page(dir, (struct listing_conf){.format = LISTING_JSONP}, json);

    /* The style is for HTML only. */
    is_page(dir, (struct listing_conf){.format = LISTING_XML, .style = LISTING_MODERN}, xml);
}
END_TEST

START_TEST(test_jsonp)
{
    const char *dir = make();
    const char *got = print_for(dir, (struct listing_conf){.format = LISTING_JSONP}, "/", "f.g");
    static const char start[] = "/* callback */\r\nf.g([\r\n";
    ck_assert(!strncmp(got, start, sizeof start - 1));
    size_t len = strlen(got);
    ck_assert_uint_eq(len, strlen(json) + strlen("/* callback */\r\nf.g();"));
    ck_assert_str_eq(got + len - 5, "\r\n]);");
}
END_TEST

static const struct {
    const char *args, *callback;
    int status;
} callbacks[] = {
    {NULL, NULL, 0},
    {"", NULL, 0},
    {"callback=foo", "foo", 0},
    {"callback=foo.Bar_9", "foo.Bar_9", 0},
    {"CallBack=x", "x", 0},
    {"x=1&callback=q&y", "q", 0},
    {"callback=a&callback=b", "a", 0},
    {"callbackx=a&callback=b", "b", 0},
    {"callback&callback=c", "c", 0},
    {"xcallback=a", NULL, 0},
    {"callback=", NULL, 0},
    {"callback=&callback=c", NULL, 0},
    {"callback", NULL, 0},
    {"&&", NULL, 0},
    {"callback=a%41", NULL, 400},
    {"callback=a<b", NULL, 400},
    {"callback=a-b", NULL, 400},
    {"callback=a(b)", NULL, 400},
    {"callback=$x", NULL, 400},
    {"callback=a+b", NULL, 400},
    {"callback=a\x80", NULL, 400},
};

START_TEST(test_callback)
{
    struct listing_conf jsonp = {.format = LISTING_JSONP}, json_only = {.format = LISTING_JSON};
    struct text callback;
    ck_assert_int_eq(listing_callback(&jsonp, text_of(callbacks[_i].args), &callback), callbacks[_i].status);
    if (callbacks[_i].callback)
        ck_assert(text_equal(callback, text_of(callbacks[_i].callback)));
    else
        ck_assert_ptr_null(callback.at);
    ck_assert_int_eq(listing_callback(&json_only, text_of(callbacks[_i].args), &callback), 0);
    ck_assert_ptr_null(callback.at);
}
END_TEST

START_TEST(test_callback_length)
{
    struct listing_conf jsonp = {.format = LISTING_JSONP};
    struct text callback;
    char args[200] = "callback=";
    memset(args + 9, 'a', 129);
    ck_assert_int_eq(listing_callback(&jsonp, (struct text){args, 9 + 128}, &callback), 0);
    ck_assert_uint_eq(callback.len, 128);
    ck_assert_int_eq(listing_callback(&jsonp, (struct text){args, 9 + 129}, &callback), 400);
}
END_TEST

START_TEST(test_types)
{
    static const struct {
        int format;
        const char *type, *with_callback;
    } types[] = {
        {LISTING_HTML, "text/html", "text/html"},
        {LISTING_XML, "text/xml; charset=utf-8", "text/xml; charset=utf-8"},
        {LISTING_JSON, "application/json", "application/json"},
        {LISTING_JSONP, "application/json", "application/javascript"},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct listing_conf conf = {.format = types[i].format};
        ck_assert(text_equal(listing_type(&conf, TEXT_NONE), text_of(types[i].type)));
        ck_assert(text_equal(listing_type(&conf, TEXT("f")), text_of(types[i].with_callback)));
    }
}
END_TEST

START_TEST(test_empty)
{
    const char *dir = unit_dir();
    ck_assert_str_eq(print_for(dir, (struct listing_conf){.exact_size = true}, "/", NULL),
                     "<html>\r\n<head><title>Index of /</title></head>\r\n<body>\r\n<h1>Index of /</h1><hr><pre>"
                     "<a href=\"../\">../</a>\r\n</pre><hr></body>\r\n</html>\r\n");
    ck_assert_str_eq(print_for(dir, (struct listing_conf){.format = LISTING_JSON}, "/", NULL), "[\r\n]");
    ck_assert_str_eq(print_for(dir, (struct listing_conf){.format = LISTING_JSONP}, "/", "f"),
                     "/* callback */\r\nf([\r\n]);");
    ck_assert_str_eq(print_for(dir, (struct listing_conf){.format = LISTING_XML}, "/", NULL),
                     "<?xml version=\"1.0\"?>\r\n<list>\r\n</list>\r\n");
    ck_assert_ptr_nonnull(strstr(print_for(dir, (struct listing_conf){.style = LISTING_MODERN}, "/", NULL), "0 files"));
}
END_TEST

/* Whatever a name is made of; each with one `x` behind it. */
static const struct {
    const char *name, *xml, *json;
} odd_names[] = {
    {"\x7fx", "\x7fx", "\x7fx"},
    {"\xc2\x80x", "\xc2\x80x", "\xc2\x80x"},
    {"\rx", "&#13;x", "\\rx"},
    {"\ba\fx",
     "\xef\xbf\xbd"
     "a\xef\xbf\xbdx",
     "\\ba\\fx"},
    {"\xef\xbf\xbex", "\xef\xbf\xbdx", "\xef\xbf\xbex"},
    {"\xef\xbf\xbfx", "\xef\xbf\xbdx", "\xef\xbf\xbfx"},
    {"\xed\xa0\x80x", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx", "\\uFFFD\\uFFFD\\uFFFDx"},
    {"\xc0\xafx", "\xef\xbf\xbd\xef\xbf\xbdx", "\\uFFFD\\uFFFDx"},
    {"\xe2\x82x", "\xef\xbf\xbd\xef\xbf\xbdx", "\\uFFFD\\uFFFDx"},
    {"\xe2\x80\xa8x", "\xe2\x80\xa8x", "\\u2028x"}, /* ends a line of JavaScript */
    {"\xe2\x80\xa9x", "\xe2\x80\xa9x", "\\u2029x"},
    {"\xf0\x9f\x98\x80x", "\xf0\x9f\x98\x80x", "\xf0\x9f\x98\x80x"},
    {"<\xe9&x", "&lt;\xef\xbf\xbd&amp;x", "<\\uFFFD&x"},
};

START_TEST(test_odd_names)
{
    char expected[200];
    unit_write(odd_names[_i].name, "", 0);
    snprintf(expected, sizeof expected, ">%s</file>", odd_names[_i].xml);
    ck_assert_ptr_nonnull(
        strstr(print_for(unit_dir(), (struct listing_conf){.format = LISTING_XML}, "/", NULL), expected));
    snprintf(expected, sizeof expected, "{ \"name\":\"%s\",", odd_names[_i].json);
    ck_assert_ptr_nonnull(
        strstr(print_for(unit_dir(), (struct listing_conf){.format = LISTING_JSON}, "/", NULL), expected));
    ck_assert_ptr_nonnull(
        strstr(print_for(unit_dir(), (struct listing_conf){.format = LISTING_JSONP}, "/", "f"), expected));
}
END_TEST

/* `count` times U+00FC behind `prefix`. */
static char *umlauts(const char *prefix, int count)
{
    static char name[256];
    int len = snprintf(name, sizeof name, "%s", prefix);
    while (count-- > 0)
        len += snprintf(name + len, sizeof name - (size_t)len, "\xc3\xbc");
    return name;
}

/* nginx 1.22's widths, with charset utf-8 and without. */
START_TEST(test_width_of_utf8)
{
    static const struct {
        const char *prefix;
        int count;
        bool utf8;
        const char *begins; /* of what is shown */
        int shown;          /* umlauts */
        const char *ends;
    } rows[] = {
        {"", 49, true, "", 49, "</a>  0"},         {"", 50, true, "", 50, "</a> 0"},
        {"", 51, true, "", 47, "..&gt;</a> 0"},    {"<", 50, true, "&lt;", 46, "..&gt;</a> 0"},
        {"", 25, false, "", 25, "</a> 0"},         {"", 26, false, "", 23, "\xc3..&gt;</a> 0"},
        {"\xff", 24, true, "\xff", 24, "</a>  0"}, {"\xff", 25, true, "\xff", 23, "..&gt;</a> 0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char expected[300];
        const char *path = unit_write(umlauts(rows[i].prefix, rows[i].count), "", 0);
        ck_assert_int_eq(utimensat(AT_FDCWD, path, (struct timespec[2]){{0, 0}, {0, 0}}, 0), 0);
        in_utf8 = rows[i].utf8;
        const char *got = print_for(unit_dir(), (struct listing_conf){.exact_size = true}, "/", NULL);
        in_utf8 = false;
        snprintf(expected, sizeof expected, "\">%s%s1-Jan-1970 ", umlauts(rows[i].begins, rows[i].shown), rows[i].ends);
        ck_assert_msg(strstr(got, expected) != NULL, "row %zu: %s, not %s", i, got, expected);
        unlink(path);
    }
}
END_TEST

/* What the head of a file calls 1901 is 1901 here. */
START_TEST(test_dates)
{
    static const struct {
        time_t t;
        const char *plain, *modern, *xml, *json;
    } rows[] = {
        {-1, " 31-Dec-1969 23:59 ", ">1969-12-31 23:59<", "\"1969-12-31T23:59:59Z\"",
         "\"Wed, 31 Dec 1969 23:59:59 GMT\""},
        {-2147483648, " 13-Dec-1901 20:45 ", ">1901-12-13 20:45<", "\"1901-12-13T20:45:52Z\"",
         "\"Fri, 13 Dec 1901 20:45:52 GMT\""},
        {4294967296, " 07-Feb-2106 06:28 ", ">2106-02-07 06:28<", "\"2106-02-07T06:28:16Z\"",
         "\"Sun, 07 Feb 2106 06:28:16 GMT\""},
    };
    const char *path = unit_write("file", "", 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct timespec times[2] = {{rows[i].t, 0}, {rows[i].t, 0}};
        ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
        ck_assert_ptr_nonnull(strstr(print_for(unit_dir(), (struct listing_conf){0}, "/", NULL), rows[i].plain));
        ck_assert_ptr_nonnull(
            strstr(print_for(unit_dir(), (struct listing_conf){.style = LISTING_MODERN}, "/", NULL), rows[i].modern));
        ck_assert_ptr_nonnull(
            strstr(print_for(unit_dir(), (struct listing_conf){.format = LISTING_XML}, "/", NULL), rows[i].xml));
        ck_assert_ptr_nonnull(
            strstr(print_for(unit_dir(), (struct listing_conf){.format = LISTING_JSON}, "/", NULL), rows[i].json));
    }
}
END_TEST

/* A link to nowhere or to itself is listed, as neither file nor directory. */
START_TEST(test_broken_links)
{
    ck_assert_int_eq(symlink("nowhere", unit_path("dangling")), 0);
    ck_assert_int_eq(symlink("loop", unit_path("loop")), 0);
    const char *got = print_for(unit_dir(), (struct listing_conf){.format = LISTING_JSON}, "/", NULL);
    ck_assert_ptr_nonnull(strstr(got, "\"name\":\"dangling\", \"type\":\"other\""));
    ck_assert_ptr_nonnull(strstr(got, "\"name\":\"loop\", \"type\":\"other\""));
}
END_TEST

START_TEST(test_errors)
{
    struct listing_conf conf = {.on = true};
    struct listing_want want = {TEXT("/"), &conf, TEXT_NONE, false};
    const char *file = unit_write("file", "x", 1);
    ck_assert_int_eq(listing_print(file, &want, NULL, NULL, &page), -ENOTDIR);
    ck_assert_int_eq(listing_print(unit_path("none"), &want, NULL, NULL, &page), -ENOENT);
    ck_assert_uint_eq(page.len, 0);
}
END_TEST

static size_t count_of(const char *in, const char *what)
{
    size_t count = 0;
    for (const char *at = in; (at = strstr(at, what)) != NULL; at += strlen(what))
        count++;
    return count;
}

/* No name gets out of its place on the page. */
START_TEST(test_modern)
{
    const char *dir = make();
    struct listing_conf conf = {.style = LISTING_MODERN, .exact_size = true};
    const char *got = print_for(dir, conf, "/t<&>\"/sub/", NULL);
    size_t rows = sizeof made / sizeof made[0] - 1;        /* but .hidden */
    ck_assert_uint_eq(count_of(got, "<tr"), 1 + 1 + rows); /* head, parent */
    ck_assert_uint_eq(count_of(got, "<td"), 3 * (1 + rows));
    ck_assert_uint_eq(count_of(got, "<script"), 1);
    ck_assert_uint_eq(count_of(got, "://"), 0); /* nothing from elsewhere */
    ck_assert_ptr_nonnull(strstr(got, "<title>Index of /t&lt;&amp;&gt;&quot;/sub/</title>"));
    ck_assert_ptr_nonnull(
        strstr(got, "<h1><a href=\"../../\">/</a><a href=\"../\">t&lt;&amp;&gt;&quot;/</a>sub/</h1>"));
    ck_assert_ptr_nonnull(strstr(got, "href=\"d%3Ci%3Er%20%26%20%22q%22/\">d&lt;i&gt;r &amp; &quot;q&quot;/</a>"));
    ck_assert_ptr_nonnull(strstr(got, "href=\"q%22uote\">q&quot;uote</a></td><td data-k=\"999\">999</td>"));
    ck_assert_ptr_nonnull(strstr(got, "href=\"co%3Alon\">co:lon</a>"));
    ck_assert_ptr_nonnull(strstr(got, "data-k=\"1700000000\">2023-11-14 22:13</td>"));
    ck_assert_ptr_null(strstr(got, ">.hidden"));

    conf.exact_size = false;
    got = print_for(dir, conf, "/", NULL);
    ck_assert_uint_eq(count_of(got, "href=\"../\""), 0); /* the root has no parent */
    ck_assert_ptr_nonnull(strstr(got, "title=\"1023 B\">1023 B</td>"));
    ck_assert_ptr_nonnull(strstr(got, "title=\"1024 B\">1.00 KiB</td>"));
    ck_assert_ptr_nonnull(strstr(got, "title=\"10752 B\">10.5 KiB</td>"));
    ck_assert_ptr_nonnull(strstr(got, "title=\"1048575 B\">1.00 MiB</td>"));
    ck_assert_ptr_nonnull(strstr(got, "title=\"1073741823 B\">1.00 GiB</td>"));
    ck_assert_ptr_nonnull(strstr(got, "title=\"5905580032 B\">5.50 GiB</td>"));
    ck_assert_ptr_nonnull(strstr(got, "7 folders, "));
}
END_TEST

/* Text in its place, and only text. */
START_TEST(test_readme)
{
    struct listing_conf conf = {.style = LISTING_MODERN, .readme = true};
    static char large[64 * 1024 + 1];

    ck_assert_ptr_null(strstr(print_for(unit_dir(), conf, "/", NULL), "<pre>"));
    unit_write("readme", "low", 3);
    ck_assert_ptr_nonnull(strstr(print_for(unit_dir(), conf, "/", NULL), "<h2 id=\"r\">readme</h2>\n<pre>\nlow</pre>"));
    unit_write("README.md", "# <b>&\xc3\xbc\n", 9);
    const char *got = print_for(unit_dir(), conf, "/", NULL);
    ck_assert_ptr_nonnull(strstr(got, "<h2 id=\"r\">README.md</h2>\n<pre>\n# &lt;b&gt;&amp;\xc3\xbc\n</pre>"));
    conf.readme = false;
    ck_assert_ptr_null(strstr(print_for(unit_dir(), conf, "/", NULL), "<pre>"));
    conf.readme = true;
    unit_write("README.md", "a\0b", 3);
    ck_assert_ptr_null(strstr(print_for(unit_dir(), conf, "/", NULL), "<pre>"));
    unit_write("README.md", "caf\xe9", 4);
    ck_assert_ptr_null(strstr(print_for(unit_dir(), conf, "/", NULL), "<pre>"));
    memset(large, 'x', sizeof large);
    large[sizeof large - 2] = '\xc3'; /* cut in two */
    large[sizeof large - 1] = '\xbc';
    unit_write("README.md", large, sizeof large);
    ck_assert_ptr_nonnull(strstr(print_for(unit_dir(), conf, "/", NULL), "x\n\xe2\x80\xa6</pre>"));
}
END_TEST

START_TEST(test_localtime)
{
    setenv("TZ", "XYZ-5:30", 1);
    tzset();
    const char *dir = make();
    struct listing_conf conf = {.exact_size = true, .localtime = true};
    ck_assert_ptr_nonnull(strstr(print_for(dir, conf, "/", NULL), "15-Nov-2023 03:43"));
    conf.style = LISTING_MODERN;
    ck_assert_ptr_nonnull(strstr(print_for(dir, conf, "/", NULL), "2023-11-15 03:43"));
    /* Formats for programs stay in UTC. */
    conf.format = LISTING_JSON;
    ck_assert_ptr_nonnull(strstr(print_for(dir, conf, "/", NULL), "Tue, 14 Nov 2023 22:13:20 GMT"));
}
END_TEST

static struct conf_module top = {"top", NULL, 0, 0, 0, NULL};

START_TEST(test_directives)
{
    struct conf_row rows[16] = {{.name = NULL}};
    size_t n = 0;
    for (const struct conf_row *row = listing_module.rows; row->name; row++) {
        rows[n] = *row;
        rows[n++].contexts = CONF_MAIN;
    }
    struct conf_module module = listing_module;
    module.rows = rows;
    module.levels = CONF_MAIN;
    struct conf_module *const modules[] = {&top, &module, NULL};

    struct arena arena;
    arena_init(&arena, 4096);
    struct conf_result result;
    struct conf_input input = {.bytes = TEXT(""), .name = "test", .prefix = "/", .modules = modules};
    ck_assert_int_eq(conf_read(&input, &arena, &result), 0);
    struct listing_conf *conf = conf_values(result.root, &module);
    ck_assert(!conf->on && conf->exact_size && !conf->localtime);
    ck_assert_int_eq(conf->format, LISTING_HTML);
    ck_assert_int_eq(conf->style, LISTING_PLAIN);

    input.bytes = TEXT("autoindex on; autoindex_format jsonp; autoindex_exact_size off; autoindex_localtime on; "
                       "autoindex_style modern;");
    ck_assert_int_eq(conf_read(&input, &arena, &result), 0);
    conf = conf_values(result.root, &module);
    ck_assert(conf->on && !conf->exact_size && conf->localtime);
    ck_assert_int_eq(conf->format, LISTING_JSONP);
    ck_assert_int_eq(conf->style, LISTING_MODERN);
    arena_fini(&arena);
}
END_TEST

Suite *suite_http_listing(void)
{
    Suite *s = suite_create("http/listing");
    TCase *t = tcase_create("listings");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_as_nginx);
    tcase_add_test(t, test_jsonp);
    tcase_add_loop_test(t, test_callback, 0, sizeof callbacks / sizeof callbacks[0]);
    tcase_add_test(t, test_callback_length);
    tcase_add_test(t, test_types);
    tcase_add_test(t, test_empty);
    tcase_add_test(t, test_broken_links);
    tcase_add_loop_test(t, test_odd_names, 0, sizeof odd_names / sizeof *odd_names);
    tcase_add_test(t, test_width_of_utf8);
    tcase_add_test(t, test_dates);
    tcase_add_test(t, test_errors);
    tcase_add_test(t, test_modern);
    tcase_add_test(t, test_readme);
    tcase_add_test(t, test_localtime);
    tcase_add_test(t, test_directives);
    suite_add_tcase(s, t);
    return s;
}
