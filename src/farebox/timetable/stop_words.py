"""Words in the names of stops, folded, of the languages of the feeds we have met."""

_STATIONS = """
    hbf hb hauptbahnhof bahnhof bf bhf bhft fernbf regionalbf zob busbahnhof omnibusbahnhof fernbusbahnhof fernbushalt
    flughafen airport aeropuerto aeroport aeroporto lotnisko letiste lufthavn
    central centrale centraal centralna centralny centralni centrum centre center centro
    glowny glowna glowne glavni gl hl hl.n hl.st nadrazi autobusove autobusni dworzec pks station gare routiere
    estacion estacio estacao stazione autostazione termini terminal terminus busterminal coach bus
    ost west sud nord mitte north south east wschodnia zachodnia wschodni zachodni midi
"""

_COMMON = """
    bad sankt st saint sainte san santa santo sao sant los las les la le el il lo al the
    new neu neue nova novo novi nove alt alte old ober unter nieder gross grosse klein kleine upper lower great little
    port puerto porto fort mount mont monte villa ville villar villanueva vila pueblo puebla castello castel chateau
    burg hotel rue place avenue av boulevard bd calle plaza paseo via piazza viale rua praca ulica ul plac aleja
    strasse str platz weg road street square park parking parkplatz rasthof autohof autobahn service area exit junction
    ben xe san bay ga thi xa thanh pho tp duong nga tram cho cua khau
    school szkola schule ecole escuela church kosciol kirche eglise iglesia rynek market markt marche mercado
    cemetery cmentarz friedhof
"""

_BETWEEN = """
    de del della dello dei di da do dos das du des d la le les el los las lo a al au aux am an im in bei b ob odt vor
    auf unter von der den dem sur sous en et y e i upon on by under and und of the near nad pod przy w na za sv svaty
"""

STATION_WORDS = frozenset(_STATIONS.split())
"""After the name of a city: a station, an airport, a part of the town."""

STATION_ENDINGS = ("bahnhof", "bhf", "terminal", "airport", "station")

NOT_A_CITY = STATION_WORDS | frozenset(_COMMON.split())
"""Words that many names share: alone they are no city."""

PARTICLES = frozenset(_BETWEEN.split())
"""What follows these belongs to the name of the town: "Weil" and "Weil am Rhein" are two."""
